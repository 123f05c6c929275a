from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.contracts.bodies import (
    Body,
    OrderCancelled,
    PaymentCancelled,
    PaymentCancelRequested,
    PaymentPaid,
    PaymentRejected,
    PaymentRequested,
    StockReserved,
)
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.points.model import (
    Entry,
    EntryKind,
    ImpossibleAmount,
    Payment,
    PaymentDecision,
    PaymentRefusal,
    PaymentState,
    PaymentStatus,
    decide,
    users_needed,
)

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BEFORE + timedelta(seconds=1)
A, B, C = (OrderId(UUID(int=n)) for n in (1, 2, 3))
USER, OTHER, UNKNOWN = UserId(1), UserId(2), UserId(3)


def fresh(user: int = 100, other: int = 100) -> PaymentState:
    payments = {key: Payment(order_id=key, status=PaymentStatus.NEW, updated_at=BEFORE) for key in (A, B, C)}
    return PaymentState(payments=payments, balances={USER: user, OTHER: other})


def requested(order_id: OrderId, amount: int = 60, user_id: int = USER) -> PaymentRequested:
    return PaymentRequested(order_id=order_id, user_id=user_id, amount=amount)


def asked_to_cancel(order_id: OrderId) -> PaymentCancelRequested:
    return PaymentCancelRequested(order_id=order_id, reason="lost")


def cancelled(order_id: OrderId) -> OrderCancelled:
    return OrderCancelled(order_id=order_id, reason="lost")


def after(state: PaymentState, decision: PaymentDecision) -> PaymentState:
    return PaymentState(
        payments={**state.payments, **{row.order_id: row for row in decision.payments}},
        balances={**state.balances, **decision.balances},
    )


def played(state: PaymentState, *bodies: Body) -> PaymentState:
    return after(state, decide(state, bodies, NOW))


def entries(order_id: OrderId, kind: EntryKind, amount: int) -> tuple[Entry, Entry]:
    """Return both sides of points that move to the user."""
    return (
        Entry(transaction_id=order_id, kind=kind, account="user:1", amount=amount, created_at=NOW),
        Entry(transaction_id=order_id, kind=kind, account="system:sales", amount=-amount, created_at=NOW),
    )


def test_payment_is_spent_when_the_balance_suffices() -> None:
    decision = decide(fresh(user=60), [requested(A)], NOW)

    assert decision == PaymentDecision(
        payments=(Payment(order_id=A, status=PaymentStatus.PAID, user_id=USER, amount=60, updated_at=NOW),),
        balances={USER: 0},
        entries=entries(A, EntryKind.SPEND, -60),
        events=(PaymentPaid(order_id=A),),
    )


@pytest.mark.parametrize(
    ("user_id", "reason"),
    [(USER, PaymentRefusal.INSUFFICIENT_POINTS), (UNKNOWN, PaymentRefusal.UNKNOWN_USER)],
    ids=["too few", "no account"],
)
def test_payment_is_rejected_without_the_points(user_id: UserId, reason: PaymentRefusal) -> None:
    decision = decide(fresh(user=59), [requested(A, user_id=user_id)], NOW)

    assert decision == PaymentDecision(
        payments=(
            Payment(
                order_id=A, status=PaymentStatus.REJECTED, user_id=user_id, amount=60, reason=reason, updated_at=NOW
            ),
        ),
        balances={},
        entries=(),
        events=(PaymentRejected(order_id=A, reason=reason),),
    )


def test_first_come_first_served_within_a_batch() -> None:
    decision = decide(fresh(), [requested(A), requested(B), requested(C, 40)], NOW)

    assert [event.type for event in decision.events] == ["payment.paid", "payment.rejected", "payment.paid"]
    assert decision.balances == {USER: 0}


def test_cancelled_payment_gives_its_points_back_once() -> None:
    state = played(fresh(), requested(A))

    decision = decide(state, [cancelled(A), cancelled(A)], NOW)

    assert decision == PaymentDecision(
        payments=(Payment(order_id=A, status=PaymentStatus.REFUNDED, user_id=USER, amount=60, updated_at=NOW),),
        balances={USER: 100},
        entries=entries(A, EntryKind.RESTORE, 60),
        events=(PaymentCancelled(order_id=A), PaymentCancelled(order_id=A)),
    )


REJECTED = PaymentRejected(order_id=A, reason="insufficient-points")


@pytest.mark.parametrize(
    ("before", "status", "answer"),
    [
        ([requested(A)], PaymentStatus.PAID, PaymentPaid(order_id=A)),
        ([requested(A, 101)], PaymentStatus.REJECTED, REJECTED),
        ([asked_to_cancel(A)], PaymentStatus.CANCELLED, PaymentCancelled(order_id=A)),
        ([cancelled(A)], PaymentStatus.CANCELLED, PaymentCancelled(order_id=A)),
        ([requested(A), cancelled(A)], PaymentStatus.REFUNDED, PaymentCancelled(order_id=A)),
    ],
    ids=["paid", "rejected", "stopped", "cancelled", "refunded"],
)
@pytest.mark.parametrize("again", [requested(A), asked_to_cancel(A)], ids=["requested", "asked to cancel"])
def test_payment_decided_already_changes_nothing_and_is_answered_again(
    before: Sequence[Body], status: PaymentStatus, answer: Body, again: Body
) -> None:
    state = played(fresh(), *before)

    decision = decide(state, [again], NOW)

    assert state.payments[A].status is status
    assert decision == PaymentDecision(payments=(), balances={}, entries=(), events=(answer,))


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ([], PaymentStatus.CANCELLED),
        ([requested(A, 101)], PaymentStatus.REJECTED),
        ([requested(A), cancelled(A)], PaymentStatus.REFUNDED),
        ([asked_to_cancel(A)], PaymentStatus.CANCELLED),
    ],
    ids=["new", "rejected", "refunded", "cancelled"],
)
def test_cancel_of_an_order_that_spent_nothing_moves_nothing(before: Sequence[Body], status: PaymentStatus) -> None:
    state = played(fresh(), *before)

    decision = decide(state, [cancelled(A)], NOW)

    assert (decision.balances, decision.entries) == ({}, ())
    assert decision.events == (PaymentCancelled(order_id=A),)
    assert after(state, decision).payments[A].status is status


@pytest.mark.parametrize(
    ("before", "body"),
    [([], asked_to_cancel(A)), ([], cancelled(A)), ([requested(A)], cancelled(A))],
    ids=["stopped", "cancelled", "refunded"],
)
def test_cancelled_payment_carries_the_time_of_its_cancel(before: Sequence[Body], body: Body) -> None:
    (row,) = decide(played(fresh(), *before), [body], NOW + timedelta(hours=1)).payments

    assert row.updated_at == NOW + timedelta(hours=1)


def test_payment_that_would_make_points_is_impossible() -> None:
    with pytest.raises(ImpossibleAmount):
        decide(fresh(), [requested(A, -1)], NOW)


def test_payment_of_no_points_is_paid_and_refunded_without_entries() -> None:
    paid = decide(fresh(), [requested(A, 0)], NOW)
    refunded = decide(played(fresh(), requested(A, 0)), [cancelled(A)], NOW)

    assert [(row.status, row.amount) for row in paid.payments] == [(PaymentStatus.PAID, 0)]
    assert paid.events == (PaymentPaid(order_id=A),)
    assert [row.status for row in refunded.payments] == [PaymentStatus.REFUNDED]
    assert (paid.entries, refunded.entries) == ((), ())
    assert (paid.balances, refunded.balances) == ({}, {})


def test_body_of_another_group_is_unknown() -> None:
    with pytest.raises(UnknownMessage, match=r"payment group doesn't read stock\.reserved"):
        decide(fresh(), [StockReserved(order_id=A)], NOW)


def test_users_needed_are_who_pays_and_who_gets_points_back_ascending() -> None:
    state = played(fresh(), requested(A, user_id=OTHER), cancelled(B))
    bodies = [cancelled(A), requested(B, user_id=9), requested(C), cancelled(C), asked_to_cancel(C)]

    assert users_needed(state.payments, bodies) == (USER, OTHER)


orders = st.sampled_from((A, B, C))
# One request a payment has one amount and one user: they are the order's.
requests = orders.map(lambda order_id: requested(order_id, amount=30 + 20 * order_id.int, user_id=USER))
bodies = st.lists(st.one_of(requests, orders.map(asked_to_cancel), orders.map(cancelled)), max_size=12)


@given(bodies, st.integers(0, 12))
def test_where_a_batch_ends_makes_no_difference(some: list[Body], end: int) -> None:
    state = fresh()

    first = decide(state, some[:end], NOW)
    second = decide(after(state, first), some[end:], NOW)
    whole = decide(state, some, NOW)

    assert after(after(state, first), second) == after(state, whole)
    assert first.entries + second.entries == whole.entries
    assert first.events + second.events == whole.events


@given(bodies)
def test_everything_sent_again_changes_nothing_once_all_cancels_came(some: list[Body]) -> None:
    state = played(fresh(), *some, *(body for body in some if isinstance(body, OrderCancelled)))

    again = decide(state, some, NOW)

    assert (again.payments, again.balances, again.entries) == ((), {}, ())


@given(bodies)
def test_entries_explain_the_balance_and_stand_once(some: list[Body]) -> None:
    state = fresh()

    decision = decide(state, some, NOW)

    balance = after(state, decision).balances[USER]
    assert balance == 100 + sum(entry.amount for entry in decision.entries if entry.account == "user:1")
    assert balance >= 0
    assert sum(entry.amount for entry in decision.entries) == 0
    keys = [(entry.transaction_id, entry.kind, entry.account) for entry in decision.entries]
    assert len(keys) == len(set(keys))
    assert decision.balances.keys() <= set(users_needed(state.payments, some))
