"""Coupons, issues and orders for tests of the coupon group."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from doorbuster.contracts.bodies import OrderCancelled, OrderCreated, OrderLine
from doorbuster.coupons.coupon import Coupon, CouponKind, Issue, IssueStatus
from doorbuster.coupons.model import CouponDecision, CouponState, Redemption, RedemptionStatus
from doorbuster.kernel.ids import CouponId, IssueId, OrderId, UserId

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BEFORE + timedelta(seconds=1)
A, B = (OrderId(UUID(int=n)) for n in (1, 2))
TENTH, GIFT, STRANGE = CouponId(7), CouponId(8), CouponId(9)
HOLDER, OTHER = UserId(1), UserId(2)
COUPONS = {
    TENTH: Coupon(
        id=TENTH,
        name="a tenth",
        kind=CouponKind.PERCENTAGE,
        value=10,
        most_discount=50,
        minimum_amount=100,
        total=10,
        issued=1,
        valid_from=BEFORE,
        valid_until=BEFORE + timedelta(days=1),
    ),
    GIFT: Coupon(
        id=GIFT,
        name="a gift",
        kind=CouponKind.FIXED,
        value=300,
        minimum_amount=0,
        total=10,
        issued=1,
        valid_from=BEFORE,
        valid_until=BEFORE + timedelta(days=1),
    ),
}
ISSUES = {
    issue.id: issue
    for issue in (
        Issue(id=IssueId(UUID(int=70)), coupon_id=TENTH, user_id=HOLDER, status=IssueStatus.ISSUED, created_at=BEFORE),
        Issue(id=IssueId(UUID(int=80)), coupon_id=GIFT, user_id=HOLDER, status=IssueStatus.ACCEPTED, created_at=BEFORE),
    )
}
HOLDERS_TENTH, HOLDERS_GIFT = ISSUES


def fresh(order_ids: Iterable[OrderId] = (A, B)) -> CouponState:
    """Nothing is decided yet, and nothing redeemed."""
    rows = (Redemption(order_id=order_id, status=RedemptionStatus.NEW, updated_at=BEFORE) for order_id in order_ids)
    return CouponState(redemptions={row.order_id: row for row in rows}, coupons=COUPONS, issues=ISSUES)


def created(
    order_id: OrderId, coupon_id: CouponId | None = None, *, user: UserId = HOLDER, total: int = 200
) -> OrderCreated:
    """An order of one line."""
    line = OrderLine(product_id=1, quantity=1, unit_price=total)
    return OrderCreated(order_id=order_id, user_id=user, lines=(line,), total=total, coupon_id=coupon_id)


def cancelled(order_id: OrderId) -> OrderCancelled:
    """Its cancel."""
    return OrderCancelled(order_id=order_id, reason="deadline")


def after(state: CouponState, decision: CouponDecision) -> CouponState:
    """Return what the database holds when the decision is written."""
    return CouponState(
        redemptions={**state.redemptions, **{row.order_id: row for row in decision.redemptions}},
        coupons=state.coupons,
        issues={**state.issues, **{row.id: row for row in decision.issues}},
    )
