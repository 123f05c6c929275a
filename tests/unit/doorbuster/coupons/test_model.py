from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.contracts.bodies import (
    Body,
    CouponCancelled,
    CouponNone,
    CouponRejected,
    CouponReleased,
    CouponUsed,
    OrderCancelled,
    OrderCreated,
    PaymentCancelRequested,
    StockReserved,
)
from doorbuster.coupons.model import (
    CouponDecision,
    CouponRefusal,
    CouponState,
    Needed,
    Redemption,
    RedemptionStatus,
    decide,
    needed,
)
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import CouponId, IssueId
from tests.unit.doorbuster.coupons.coupons import (
    BEFORE,
    COUPONS,
    GIFT,
    HOLDER,
    HOLDERS_GIFT,
    HOLDERS_TENTH,
    ISSUES,
    NOW,
    OTHER,
    STRANGE,
    TENTH,
    A,
    B,
    after,
    cancelled,
    created,
    fresh,
)

NEW = fresh()
DAY = timedelta(days=1)


def played(*bodies: Body) -> CouponState:
    return after(NEW, decide(NEW, bodies, NOW))


def test_order_without_coupon_is_answered_too() -> None:
    decision = decide(NEW, [created(A)], NOW)

    assert decision == CouponDecision(
        redemptions=(Redemption(order_id=A, status=RedemptionStatus.NONE, updated_at=NOW),),
        issues=(),
        events=(CouponNone(order_id=A),),
    )


@pytest.mark.parametrize(
    ("coupon_id", "issue_id", "total", "discount"),
    [
        (TENTH, HOLDERS_TENTH, 199, 19),
        (TENTH, HOLDERS_TENTH, 5_000, 50),
        (GIFT, HOLDERS_GIFT, 1_000, 300),
        (GIFT, HOLDERS_GIFT, 120, 120),
    ],
    ids=["percentage", "capped", "fixed", "all of it"],
)
def test_coupon_that_the_user_holds_is_redeemed(
    coupon_id: CouponId, issue_id: IssueId, total: int, discount: int
) -> None:
    decision = decide(NEW, [created(A, coupon_id, total=total)], NOW)

    assert decision == CouponDecision(
        redemptions=(
            Redemption(
                order_id=A,
                status=RedemptionStatus.USED,
                coupon_id=coupon_id,
                issue_id=issue_id,
                discount=discount,
                updated_at=NOW,
            ),
        ),
        issues=(replace(ISSUES[issue_id], order_id=A, redeemed_at=NOW),),
        events=(CouponUsed(order_id=A, discount=discount),),
    )


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (created(A, STRANGE), CouponRefusal.UNKNOWN_COUPON),
        (created(A, TENTH, user=OTHER), CouponRefusal.NOT_ISSUED),
        (created(A, TENTH, total=99), CouponRefusal.BELOW_MINIMUM),
    ],
    ids=lambda value: value.value if isinstance(value, CouponRefusal) else "",
)
def test_coupon_that_may_not_be_redeemed_is_rejected_and_stays_free(order: OrderCreated, reason: CouponRefusal) -> None:
    decision = decide(NEW, [order], NOW)

    assert decision == CouponDecision(
        redemptions=(
            Redemption(
                order_id=A,
                status=RedemptionStatus.REJECTED,
                coupon_id=CouponId(order.coupon_id or 0),
                reason=reason,
                updated_at=NOW,
            ),
        ),
        issues=(),
        events=(CouponRejected(order_id=A, reason=reason),),
    )


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        (BEFORE - timedelta(microseconds=1), CouponRejected(order_id=A, reason="not-valid-yet")),
        (BEFORE, CouponUsed(order_id=A, discount=20)),
        (BEFORE + DAY - timedelta(microseconds=1), CouponUsed(order_id=A, discount=20)),
        (BEFORE + DAY, CouponRejected(order_id=A, reason="expired")),
    ],
    ids=["just before", "first moment", "last moment", "just after"],
)
def test_coupon_is_valid_from_its_first_moment_until_just_before_its_end(now: datetime, answer: Body) -> None:
    assert decide(NEW, [created(A, TENTH)], now).events == (answer,)


def test_minimum_is_enough() -> None:
    assert decide(NEW, [created(A, TENTH, total=100)], NOW).events == (CouponUsed(order_id=A, discount=10),)


@pytest.mark.parametrize("batches", [1, 2])
def test_two_orders_never_redeem_one_coupon(batches: int) -> None:
    first = decide(NEW, [created(A, TENTH)], NOW)
    second = decide(after(NEW, first), [created(B, TENTH)], NOW)
    together = decide(NEW, [created(A, TENTH), created(B, TENTH)], NOW)

    events = together.events if batches == 1 else first.events + second.events
    assert events == (CouponUsed(order_id=A, discount=20), CouponRejected(order_id=B, reason="already-redeemed"))
    assert [issue.order_id for issue in first.issues + second.issues] == [A]
    assert together.issues == first.issues


@pytest.mark.parametrize("batches", [1, 2])
def test_released_coupon_is_redeemed_by_another_order(batches: int) -> None:
    start = [created(A, TENTH), cancelled(A)]
    state, bodies = (played(*start), []) if batches == 2 else (NEW, start)

    decision = decide(state, [*bodies, created(B, TENTH)], NOW)

    assert decision.events[-1] == CouponUsed(order_id=B, discount=20)
    assert [issue.order_id for issue in decision.issues] == [B]


def test_release_leaves_the_issue_as_it_was_before() -> None:
    decision = decide(played(created(A, TENTH)), [cancelled(A)], NOW)

    assert decision.issues == (ISSUES[HOLDERS_TENTH],)
    assert decide(NEW, [created(A, TENTH), cancelled(A)], NOW).issues == ()


def test_cancel_that_comes_again_takes_the_coupon_from_no_other_order() -> None:
    state = played(created(A, TENTH), cancelled(A), created(B, TENTH))

    decision = decide(state, [cancelled(A), created(A, TENTH), cancelled(A)], NOW)

    assert (decision.redemptions, decision.issues) == ((), ())
    assert state.issues[HOLDERS_TENTH].order_id == B


def test_issue_that_contradicts_the_redemption_stays_its_orders() -> None:
    state = played(created(A, TENTH))
    taken = replace(state.issues[HOLDERS_TENTH], order_id=B)

    decision = decide(replace(state, issues={HOLDERS_TENTH: taken}), [cancelled(A)], NOW)

    assert decision.issues == ()
    assert decision.events == (CouponReleased(order_id=A),)


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        ([created(A)], CouponNone(order_id=A)),
        ([created(A, TENTH)], CouponUsed(order_id=A, discount=20)),
        ([created(A, STRANGE)], CouponRejected(order_id=A, reason="unknown-coupon")),
        ([created(A), cancelled(A)], CouponReleased(order_id=A)),
        ([created(A, TENTH), cancelled(A)], CouponReleased(order_id=A)),
        ([cancelled(A)], CouponCancelled(order_id=A)),
    ],
    ids=["none", "used", "rejected", "released", "released after use", "cancelled"],
)
def test_order_decided_already_hears_its_outcome_again(before: Sequence[Body], answer: Body) -> None:
    # Also when the coupon is no longer valid: what is decided stays so.
    decision = decide(played(*before), [created(A, TENTH)], NOW + 2 * DAY)

    assert decision == CouponDecision(redemptions=(), issues=(), events=(answer,))


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ([], RedemptionStatus.CANCELLED),
        ([created(A)], RedemptionStatus.RELEASED),
        ([created(A, TENTH)], RedemptionStatus.RELEASED),
        ([created(A, STRANGE)], RedemptionStatus.REJECTED),
        ([created(A), cancelled(A)], RedemptionStatus.RELEASED),
        ([cancelled(A)], RedemptionStatus.CANCELLED),
    ],
    ids=["new", "none", "used", "rejected", "released", "cancelled"],
)
def test_every_cancel_is_answered(before: Sequence[Body], status: RedemptionStatus) -> None:
    state = played(*before)

    decision = decide(state, [cancelled(A)], NOW)

    assert decision.events == (CouponReleased(order_id=A),)
    assert after(state, decision).redemptions[A].status is status


@pytest.mark.parametrize("before", [[], [created(A)], [created(A, TENTH)]], ids=["new", "none", "used"])
def test_cancelled_redemption_carries_the_time_of_its_cancel(before: Sequence[Body]) -> None:
    (row,) = decide(played(*before), [cancelled(A)], NOW + timedelta(hours=1)).redemptions

    assert row.updated_at == NOW + timedelta(hours=1)


def test_tombstone_keeps_the_coupon_free() -> None:
    state = played(cancelled(A), created(A, TENTH))

    assert state.issues == ISSUES
    assert state.redemptions[A].status is RedemptionStatus.CANCELLED


def test_cancel_of_a_payment_is_not_for_the_coupon_group() -> None:
    decision = decide(NEW, [PaymentCancelRequested(order_id=A, reason="lost")], NOW)

    assert decision == CouponDecision(redemptions=(), issues=(), events=())


def test_body_of_another_group_is_unknown() -> None:
    with pytest.raises(UnknownMessage, match=r"coupon group doesn't read stock\.reserved"):
        decide(NEW, [StockReserved(order_id=A)], NOW)


def test_needed_are_the_coupons_of_new_orders_and_the_issues_of_cancelled_ones() -> None:
    state = played(created(A, TENTH))

    assert needed(NEW.redemptions, [created(B, TENTH), created(A, GIFT, user=OTHER), cancelled(B)]) == Needed(
        coupons=(TENTH, GIFT), holdings=((TENTH, HOLDER), (GIFT, OTHER)), issues=()
    )
    assert needed(state.redemptions, [cancelled(A), created(B)]) == Needed(
        coupons=(), holdings=(), issues=(HOLDERS_TENTH,)
    )
    assert needed(state.redemptions, [created(A, TENTH)]) == Needed(coupons=(), holdings=(), issues=())


orders = st.sampled_from((A, B))
coupon_ids = st.sampled_from((None, TENTH, GIFT, STRANGE))
bodies = st.lists(st.one_of(st.builds(created, orders, coupon_ids), st.builds(cancelled, orders)), max_size=8)


def narrowed(state: CouponState, some: Sequence[Body]) -> CouponState:
    """Return no more of the state than is needed."""
    wanted = needed(state.redemptions, some)
    return CouponState(
        redemptions=state.redemptions,
        coupons={key: COUPONS[key] for key in wanted.coupons if key in COUPONS},
        issues={
            key: issue
            for key, issue in state.issues.items()
            if key in wanted.issues or (issue.coupon_id, issue.user_id) in wanted.holdings
        },
    )


@given(bodies, st.integers(0, 8))
def test_where_a_batch_ends_makes_no_difference(some: list[Body], end: int) -> None:
    first = decide(NEW, some[:end], NOW)
    second = decide(after(NEW, first), some[end:], NOW)
    whole = decide(NEW, some, NOW)

    assert after(after(NEW, first), second) == after(NEW, whole)
    assert first.events + second.events == whole.events


@given(bodies, bodies)
def test_needed_hold_everything_that_a_batch_looks_at(before: list[Body], some: list[Body]) -> None:
    state = played(*before)

    assert decide(narrowed(state, some), some, NOW) == decide(state, some, NOW)


@given(bodies)
def test_everything_sent_again_changes_nothing_once_all_cancels_came(some: list[Body]) -> None:
    state = played(*some, *(body for body in some if isinstance(body, OrderCancelled)))

    decision = decide(state, some, NOW)

    assert (decision.redemptions, decision.issues) == ((), ())


@given(bodies)
def test_an_issue_is_redeemed_by_the_one_order_that_uses_it(some: list[Body]) -> None:
    state = played(*some)

    used = {row.issue_id: key for key, row in state.redemptions.items() if row.status is RedemptionStatus.USED}
    redeemed = {key: issue.order_id for key, issue in state.issues.items() if issue.order_id is not None}
    assert used == redeemed
