"""Tables of the orders: what the buyer sees, and the saga behind it."""

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from doorbuster.infra.mysql.schema import METADATA, OPTIONS, Big, Instant, UuidBytes

orders = Table(
    "orders",
    METADATA,
    Column("id", UuidBytes, primary_key=True),
    Column("user_id", Big, nullable=False),
    Column("lines", JSON(none_as_null=True), nullable=False),
    Column("total", Big, nullable=False),
    # Learned from the coupon group while the order is PENDING; 0 without a coupon, and of a FAILED order.
    Column("discount", Big, nullable=False, server_default="0"),
    Column("coupon_id", Big, nullable=True),
    Column("status", String(16), nullable=False),
    Column("failure_reason", String(64), nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=True),
    Column("compensated_at", Instant, nullable=True),
    # A buyer's own orders, newest first: UUIDv7 are close enough to the order of their making for a list.
    Index(None, "user_id", "id"),
    # What ended lately, for the auditor.
    Index(None, "finished_at"),
    **OPTIONS,
)

# R14: what the flow manager knows of each participant. `open` is 1 until the order is final and compensated; the watch
# reads the open ones by age.
order_sagas = Table(
    "order_sagas",
    METADATA,
    Column("order_id", UuidBytes, primary_key=True),
    Column("stock", String(16), nullable=False),
    Column("coupon", String(16), nullable=False),
    Column("payment", String(16), nullable=False),
    Column("step", String(16), nullable=False),
    Column("cancel_reason", String(64), nullable=True),
    Column("redrives", Integer, nullable=False),
    Column("open", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Index(None, "open", "sent_at"),
    **OPTIONS,
)
