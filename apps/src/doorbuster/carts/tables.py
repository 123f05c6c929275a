"""The table of the carts: one row a buyer, with all lines in it."""

from sqlalchemy import JSON, Column, Table

from doorbuster.infra.mysql.schema import METADATA, OPTIONS, Big, Instant

# One row and not one a line: locking it locks the whole cart, also lines that aren't there yet, and a batch of any
# size reads and writes all of its carts by one statement each. A row stays when its cart is empty.
carts = Table(
    "carts",
    METADATA,
    Column("user_id", Big, primary_key=True, autoincrement=False),
    Column("lines", JSON(none_as_null=True), nullable=False),
    Column("updated_at", Instant, nullable=False),
    **OPTIONS,
)
