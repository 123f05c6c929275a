"""Tables of the coupons: what there is, who holds which, and one redemption an order, also without a coupon (R14)."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, UniqueConstraint

from doorbuster.infra.mysql.schema import METADATA, OPTIONS, Big, Instant, UuidBytes

# `issued` counts the rows of coupon_issues; the constraint stands behind the code. `epoch` is that of the gate in Redis
# (R16). `value` is percent or points, as `kind` says; `most_discount` is the upper end of a percentage, in points.
coupons = Table(
    "coupons",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", Big, nullable=False),
    Column("most_discount", Big, nullable=True),
    Column("minimum_amount", Big, nullable=False),
    Column("total", Big, nullable=False),
    Column("issued", Big, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("issued >= 0 AND issued <= total", name="issued_within_total"),
    CheckConstraint("value > 0", name="value_positive"),
    **OPTIONS,
)

# R16: one a coupon and user. `order_id` is the order that redeems it now, so it is never redeemed twice at once. Rows
# are locked by their id, ascending: the unique key's order is another one.
coupon_issues = Table(
    "coupon_issues",
    METADATA,
    Column("id", UuidBytes, primary_key=True),
    Column("coupon_id", Big, nullable=False),
    Column("user_id", Big, nullable=False),
    Column("status", String(16), nullable=False),
    Column("order_id", UuidBytes, nullable=True),
    Column("redeemed_at", Instant, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("issued_at", Instant, nullable=True),
    UniqueConstraint("coupon_id", "user_id"),
    # What waits to become ISSUED, oldest first, for the auditor.
    Index(None, "status", "created_at"),
    **OPTIONS,
)

# `issue_id` is what the order redeems or redeemed, so that a release needs nothing else.
coupon_redemptions = Table(
    "coupon_redemptions",
    METADATA,
    Column("order_id", UuidBytes, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("coupon_id", Big, nullable=True),
    Column("issue_id", UuidBytes, nullable=True),
    Column("discount", Big, nullable=True),
    Column("reason", String(64), nullable=True),
    Column("updated_at", Instant, nullable=False),
    **OPTIONS,
)
