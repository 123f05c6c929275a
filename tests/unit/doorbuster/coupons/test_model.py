from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.contracts.bodies import (
    Body,
    CouponCancelled,
    CouponNone,
    CouponRejected,
    CouponReleased,
    OrderCancelled,
    OrderCreated,
    OrderLine,
    PaymentCancelRequested,
    StockReserved,
)
from doorbuster.coupons.model import (
    CouponDecision,
    CouponRefusal,
    CouponState,
    Redemption,
    RedemptionStatus,
    decide,
)
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import OrderId

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BEFORE + timedelta(seconds=1)
A, B = (OrderId(UUID(int=n)) for n in (1, 2))
NEW = CouponState(
    redemptions={
        order_id: Redemption(order_id=order_id, status=RedemptionStatus.NEW, updated_at=BEFORE) for order_id in (A, B)
    }
)


def created(order_id: OrderId, coupon_id: int | None = None) -> OrderCreated:
    line = OrderLine(product_id=1, quantity=1, unit_price=10)
    return OrderCreated(order_id=order_id, user_id=1, lines=(line,), total=10, coupon_id=coupon_id)


def cancelled(order_id: OrderId) -> OrderCancelled:
    return OrderCancelled(order_id=order_id, reason="deadline")


def after(state: CouponState, decision: CouponDecision) -> CouponState:
    return CouponState(redemptions={**state.redemptions, **{row.order_id: row for row in decision.redemptions}})


def played(*bodies: Body) -> CouponState:
    return after(NEW, decide(NEW, bodies, NOW))


def test_order_without_coupon_is_answered_too() -> None:
    decision = decide(NEW, [created(A)], NOW)

    assert decision == CouponDecision(
        redemptions=(Redemption(order_id=A, status=RedemptionStatus.NONE, updated_at=NOW),),
        events=(CouponNone(order_id=A),),
    )


def test_order_with_a_coupon_is_rejected_because_no_coupon_is_known() -> None:
    decision = decide(NEW, [created(A, coupon_id=7)], NOW)

    assert decision == CouponDecision(
        redemptions=(
            Redemption(
                order_id=A,
                status=RedemptionStatus.REJECTED,
                coupon_id=7,
                reason=CouponRefusal.UNKNOWN_COUPON,
                updated_at=NOW,
            ),
        ),
        events=(CouponRejected(order_id=A, reason="unknown-coupon"),),
    )


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        ([created(A)], CouponNone(order_id=A)),
        ([created(A, 7)], CouponRejected(order_id=A, reason="unknown-coupon")),
        ([created(A), cancelled(A)], CouponReleased(order_id=A)),
        ([cancelled(A)], CouponCancelled(order_id=A)),
    ],
    ids=["none", "rejected", "released", "cancelled"],
)
def test_order_decided_already_hears_its_outcome_again(before: Sequence[Body], answer: Body) -> None:
    decision = decide(played(*before), [created(A)], NOW)

    assert decision == CouponDecision(redemptions=(), events=(answer,))


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ([], RedemptionStatus.CANCELLED),
        ([created(A)], RedemptionStatus.RELEASED),
        ([created(A, 7)], RedemptionStatus.REJECTED),
        ([created(A), cancelled(A)], RedemptionStatus.RELEASED),
        ([cancelled(A)], RedemptionStatus.CANCELLED),
    ],
    ids=["new", "none", "rejected", "released", "cancelled"],
)
def test_every_cancel_is_answered(before: Sequence[Body], status: RedemptionStatus) -> None:
    state = played(*before)

    decision = decide(state, [cancelled(A)], NOW)

    assert decision.events == (CouponReleased(order_id=A),)
    assert after(state, decision).redemptions[A].status is status


@pytest.mark.parametrize("before", [[], [created(A)]], ids=["new", "none"])
def test_cancelled_redemption_carries_the_time_of_its_cancel(before: Sequence[Body]) -> None:
    (row,) = decide(played(*before), [cancelled(A)], NOW + timedelta(hours=1)).redemptions

    assert row.updated_at == NOW + timedelta(hours=1)


def test_cancel_of_a_payment_is_not_for_the_coupon_group() -> None:
    decision = decide(NEW, [PaymentCancelRequested(order_id=A, reason="lost")], NOW)

    assert decision == CouponDecision(redemptions=(), events=())


def test_body_of_another_group_is_unknown() -> None:
    with pytest.raises(UnknownMessage, match=r"coupon group doesn't read stock\.reserved"):
        decide(NEW, [StockReserved(order_id=A)], NOW)


orders = st.sampled_from((A, B))
coupon_ids = st.none() | st.just(7)
bodies = st.lists(st.one_of(st.builds(created, orders, coupon_ids), st.builds(cancelled, orders)), max_size=8)


@given(bodies, st.integers(0, 8))
def test_where_a_batch_ends_makes_no_difference(some: list[Body], end: int) -> None:
    first = decide(NEW, some[:end], NOW)
    second = decide(after(NEW, first), some[end:], NOW)
    whole = decide(NEW, some, NOW)

    assert after(after(NEW, first), second) == after(NEW, whole)
    assert first.events + second.events == whole.events


@given(bodies)
def test_everything_sent_again_changes_nothing_once_all_cancels_came(some: list[Body]) -> None:
    state = played(*some, *(body for body in some if isinstance(body, OrderCancelled)))

    assert decide(state, some, NOW).redemptions == ()
