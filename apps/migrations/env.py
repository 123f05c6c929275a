"""Alembic's entry: runs the revisions on the connection that it is given, or else on the primary of the settings."""

from alembic import context
from sqlalchemy import Connection

# Each of these adds its tables to the metadata.
import doorbuster.carts.tables
import doorbuster.coupons.tables
import doorbuster.deliveries.tables
import doorbuster.infra.mysql.tables
import doorbuster.orders.tables
import doorbuster.points.tables
import doorbuster.products.tables  # noqa: F401
from doorbuster.infra.mysql.migrations import connected
from doorbuster.infra.mysql.schema import METADATA
from doorbuster.settings import Settings


def run_on(connection: Connection) -> None:
    """Run the revisions that were asked for. MySQL commits each change of a table by itself."""
    context.configure(
        connection=connection, target_metadata=METADATA, compare_type=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run_on(given)
else:
    with connected(Settings().mysql) as own:
        run_on(own)
