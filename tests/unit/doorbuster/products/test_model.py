from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.contracts.bodies import (
    Body,
    CouponNone,
    OrderCancelled,
    OrderCreated,
    OrderLine,
    PaymentCancelRequested,
    StockCancelled,
    StockRejected,
    StockReleased,
    StockReserved,
)
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import OrderId, ProductId
from doorbuster.products.model import (
    ImpossibleLines,
    Reservation,
    ReservationStatus,
    StockDecision,
    StockRefusal,
    StockState,
    decide,
    products_needed,
)

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BEFORE + timedelta(seconds=1)
LATER = BEFORE + timedelta(seconds=9)
A, B, C = (OrderId(UUID(int=n)) for n in (1, 2, 3))


def created(order_id: OrderId, *lines: tuple[int, int]) -> OrderCreated:
    return OrderCreated(
        order_id=order_id,
        user_id=1,
        lines=tuple(OrderLine(product_id=product, quantity=units, unit_price=10) for product, units in lines),
        total=10 * sum(units for _, units in lines),
    )


def cancelled(order_id: OrderId) -> OrderCancelled:
    return OrderCancelled(order_id=order_id, reason="deadline")


def fresh(**available: int) -> StockState:
    """Return a state with new placeholders, and units by product: p1=5."""
    return StockState(
        reservations={
            order_id: Reservation(order_id=order_id, status=ReservationStatus.NEW, updated_at=BEFORE)
            for order_id in (A, B, C)
        },
        available={ProductId(int(name[1:])): units for name, units in available.items()},
    )


def after(state: StockState, decision: StockDecision) -> StockState:
    return StockState(
        reservations={**state.reservations, **{row.order_id: row for row in decision.reservations}},
        available={**state.available, **decision.available},
    )


def played(state: StockState, *bodies: Body) -> StockState:
    return after(state, decide(state, bodies, NOW))


def test_order_is_reserved_when_all_its_lines_are_available() -> None:
    order = created(A, (1, 2), (2, 1))

    decision = decide(fresh(p1=5, p2=1), [order], NOW)

    assert decision == StockDecision(
        reservations=(Reservation(order_id=A, status=ReservationStatus.RESERVED, lines=order.lines, updated_at=NOW),),
        available={ProductId(1): 3, ProductId(2): 0},
        events=(StockReserved(order_id=A),),
    )


def test_order_takes_nothing_when_one_line_is_out_of_stock() -> None:
    decision = decide(fresh(p1=5, p2=0), [created(A, (1, 2), (2, 1))], NOW)

    assert decision.available == {}
    assert decision.reservations == (
        Reservation(
            order_id=A,
            status=ReservationStatus.REJECTED,
            reason=StockRefusal.OUT_OF_STOCK,
            product_id=ProductId(2),
            updated_at=NOW,
        ),
    )
    assert decision.events == (StockRejected(order_id=A, reason="out-of-stock", product_id=2),)


def test_product_without_stock_row_is_unknown() -> None:
    decision = decide(fresh(p1=5), [created(A, (1, 1), (9, 1))], NOW)

    assert decision.events == (StockRejected(order_id=A, reason="unknown-product", product_id=9),)


def test_lines_of_one_product_are_summed_before_they_are_compared() -> None:
    decision = decide(fresh(p1=5), [created(A, (1, 3), (1, 3))], NOW)

    assert decision.events == (StockRejected(order_id=A, reason="out-of-stock", product_id=1),)


def test_first_come_first_served_within_a_batch() -> None:
    decision = decide(fresh(p1=3), [created(A, (1, 2)), created(B, (1, 2)), created(C, (1, 1))], NOW)

    assert decision.available == {ProductId(1): 0}
    assert decision.events == (
        StockReserved(order_id=A),
        StockRejected(order_id=B, reason="out-of-stock", product_id=1),
        StockReserved(order_id=C),
    )


def test_release_earlier_in_a_batch_serves_a_later_order() -> None:
    state = played(fresh(p1=2), created(A, (1, 2)))

    decision = decide(state, [cancelled(A), created(B, (1, 2))], NOW)

    assert decision.available == {}
    assert decision.events == (StockReleased(order_id=A), StockReserved(order_id=B))


@pytest.mark.parametrize(
    ("before", "order_again", "status"),
    [
        ([created(A, (1, 1))], StockReserved(order_id=A), ReservationStatus.RESERVED),
        (
            [created(A, (1, 9))],
            StockRejected(order_id=A, reason="out-of-stock", product_id=1),
            ReservationStatus.REJECTED,
        ),
        ([created(A, (1, 1)), cancelled(A)], StockReleased(order_id=A), ReservationStatus.RELEASED),
        ([cancelled(A)], StockCancelled(order_id=A), ReservationStatus.CANCELLED),
    ],
    ids=["reserved", "rejected", "released", "cancelled"],
)
def test_order_decided_already_changes_nothing_and_hears_its_outcome_again(
    before: Sequence[Body], order_again: Body, status: ReservationStatus
) -> None:
    state = played(fresh(p1=3), *before)

    decision = decide(state, [created(A, (1, 1))], LATER)

    assert state.reservations[A].status is status
    assert decision == StockDecision(reservations=(), available={}, events=(order_again,))


@pytest.mark.parametrize(
    "before", [[created(A, (1, 9))], [created(A, (1, 1)), cancelled(A)], [cancelled(A)]],
    ids=["rejected", "released", "cancelled"],
)  # fmt: skip
def test_cancel_of_an_order_that_holds_nothing_is_only_answered(before: Sequence[Body]) -> None:
    state = played(fresh(p1=3), *before)

    decision = decide(state, [cancelled(A)], LATER)

    assert decision == StockDecision(reservations=(), available={}, events=(StockReleased(order_id=A),))


def test_cancel_of_a_reserved_order_gives_its_units_back() -> None:
    order = created(A, (1, 2), (2, 1), (1, 1))
    state = played(fresh(p1=5, p2=1), order)

    decision = decide(state, [cancelled(A)], LATER)

    assert decision.available == {ProductId(1): 5, ProductId(2): 1}
    assert decision.reservations == (
        Reservation(order_id=A, status=ReservationStatus.RELEASED, lines=order.lines, updated_at=LATER),
    )


def test_cancel_before_its_order_leaves_a_tombstone() -> None:
    decision = decide(fresh(p1=5), [cancelled(A), created(A, (1, 1))], NOW)

    assert decision == StockDecision(
        reservations=(Reservation(order_id=A, status=ReservationStatus.CANCELLED, updated_at=NOW),),
        available={},
        events=(StockReleased(order_id=A), StockCancelled(order_id=A)),
    )


def test_cancel_of_a_payment_is_not_for_the_stock_group() -> None:
    decision = decide(fresh(), [PaymentCancelRequested(order_id=A, reason="lost")], NOW)

    assert decision == StockDecision(reservations=(), available={}, events=())


@pytest.mark.parametrize("lines", [[], [(1, 0)], [(1, 2), (1, -1)]], ids=["none", "no units", "negative units"])
def test_order_that_would_make_units_is_impossible(lines: Sequence[tuple[int, int]]) -> None:
    with pytest.raises(ImpossibleLines):
        decide(fresh(p1=5), [created(A, *lines)], NOW)


def test_body_of_another_group_is_unknown() -> None:
    with pytest.raises(UnknownMessage, match=r"stock group doesn't read coupon\.none"):
        decide(fresh(), [CouponNone(order_id=A)], NOW)


def test_products_needed_are_those_to_reserve_and_those_to_release_ascending() -> None:
    state = played(fresh(p1=5, p7=5), created(A, (7, 1)), created(B, (1, 9)))
    bodies = [cancelled(A), created(A, (8, 1)), created(B, (6, 1)), cancelled(B), created(C, (3, 1), (2, 1))]

    assert products_needed(state.reservations, bodies) == (2, 3, 7)


orders = st.sampled_from((A, B, C))
lines = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=3)
bodies = st.lists(
    st.one_of(st.builds(lambda order_id, some: created(order_id, *some), orders, lines), st.builds(cancelled, orders)),
    max_size=12,
)


@given(bodies, st.integers(0, 12))
def test_where_a_batch_ends_makes_no_difference(some: list[Body], end: int) -> None:
    state = fresh(p1=4, p2=4)

    first = decide(state, some[:end], NOW)
    second = decide(after(state, first), some[end:], NOW)
    whole = decide(state, some, NOW)

    assert after(after(state, first), second) == after(state, whole)
    assert first.events + second.events == whole.events


@given(bodies)
def test_everything_sent_again_changes_nothing(some: list[Body]) -> None:
    # An order before its cancel is released, one after it is cancelled: the cancels go last, as in a replay at rest.
    state = played(fresh(p1=4, p2=4), *some)

    again = decide(state, [body for body in some if isinstance(body, OrderCancelled)], NOW)
    settled = after(state, again)

    assert again.reservations == ()
    assert decide(settled, some, NOW).reservations == ()
    assert decide(settled, some, NOW).available == {}


@given(bodies)
def test_units_are_reserved_or_available_and_never_negative(some: list[Body]) -> None:
    state = played(fresh(p1=4, p2=4), *some)
    reserved = [row.lines or () for row in state.reservations.values() if row.status is ReservationStatus.RESERVED]

    for product_id, units in state.available.items():
        taken = sum(line.quantity for some_lines in reserved for line in some_lines if line.product_id == product_id)
        assert units >= 0
        assert units + taken == 4


@given(bodies)
def test_products_needed_hold_everything_that_changes(some: list[Body]) -> None:
    state = fresh(p1=4, p2=4)

    assert decide(state, some, NOW).available.keys() <= set(products_needed(state.reservations, some))
