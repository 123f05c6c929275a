"""The index by which the best-selling products are found (R11).

It costs a write more for each count that a batch changes: as many as the batch has products.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAME = "ix_product_sales_units_product_id"
TABLE = "product_sales"


def upgrade() -> None:
    """Make the index."""
    # MySQL commits each statement by itself: a run that was killed may have made it.
    if not _there():
        op.create_index(NAME, TABLE, ["units", "product_id"])


def downgrade() -> None:
    """Drop the index."""
    if _there():
        op.drop_index(NAME, TABLE)


def _there() -> bool:
    return NAME in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(TABLE)}
