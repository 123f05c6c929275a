"""Tables of the coupons: one redemption an order, also for orders without a coupon (R14)."""

from sqlalchemy import Column, String, Table

from doorbuster.infra.mysql.schema import METADATA, OPTIONS, Big, Instant, UuidBytes

coupon_redemptions = Table(
    "coupon_redemptions",
    METADATA,
    Column("order_id", UuidBytes, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("coupon_id", Big, nullable=True),
    Column("reason", String(64), nullable=True),
    Column("updated_at", Instant, nullable=False),
    **OPTIONS,
)
