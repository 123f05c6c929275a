"""An index for the search by the beginning of a product's name."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAME = "ix_products_name_id"


def upgrade() -> None:
    """Make the index; a run that was killed behind it left it there."""
    if NAME not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("products")}:
        op.create_index(NAME, "products", ["name", "id"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(NAME, table_name="products")
