"""Tables of the catalogue, the stock, and the sales that post-process counts."""

from sqlalchemy import JSON, CheckConstraint, Column, Index, Integer, String, Table

from doorbuster.infra.mysql.schema import METADATA, OPTIONS, Big, Instant, UuidBytes

# R6: `version` grows with each change of a row. The index carries the search by the beginning of a name.
products = Table(
    "products",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("price", Big, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("price > 0", name="price_positive"),
    Index(None, "name", "id"),
    **OPTIONS,
)

# R8: a table of its own, so that a sale never locks the catalogue. Sold is `supplied - available`; the constraint
# stands behind the code.
stock = Table(
    "stock",
    METADATA,
    Column("product_id", Big, primary_key=True, autoincrement=False),
    Column("supplied", Big, nullable=False),
    Column("available", Big, nullable=False),
    CheckConstraint("available >= 0", name="available_not_negative"),
    **OPTIONS,
)

# R14: one row an order; `lines` are kept so that a release needs nothing else.
stock_reservations = Table(
    "stock_reservations",
    METADATA,
    Column("order_id", UuidBytes, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("lines", JSON(none_as_null=True), nullable=True),
    Column("reason", String(64), nullable=True),
    Column("product_id", Big, nullable=True),
    Column("updated_at", Instant, nullable=False),
    # What changed lately, for the auditor.
    Index(None, "updated_at"),
    **OPTIONS,
)

# R11: `version` grows with each change, so that a copy elsewhere takes only the newer one. The index is the ranking,
# read from its end.
product_sales = Table(
    "product_sales",
    METADATA,
    Column("product_id", Big, primary_key=True, autoincrement=False),
    Column("units", Big, nullable=False),
    Column("orders", Big, nullable=False),
    Column("version", Big, nullable=False),
    Index(None, "units", "product_id"),
    **OPTIONS,
)

# The natural key of a counted sale, for as long as the order lives.
counted_orders = Table(
    "counted_orders",
    METADATA,
    Column("order_id", UuidBytes, primary_key=True),
    Column("counted_at", Instant, nullable=False),
    **OPTIONS,
)
