"""The table of the deliveries to the partner."""

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from doorbuster.infra.mysql.schema import METADATA, OPTIONS, Instant, UuidBytes

# R11: one row an order, which is also the partner's key. `due_at` moves ahead while a sender holds the row, so that a
# sender that dies gives it back by doing nothing.
deliveries = Table(
    "deliveries",
    METADATA,
    Column("order_id", UuidBytes, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("payload", JSON(none_as_null=True), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("last_error", String(200), nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("delivered_at", Instant, nullable=True),
    Index(None, "status", "due_at"),
    **OPTIONS,
)
