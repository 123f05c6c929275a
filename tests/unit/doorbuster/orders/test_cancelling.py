from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from doorbuster.contracts.bodies import (
    Body,
    CouponNone,
    OrderCancelled,
    OrderCompleted,
    PaymentCancelled,
    PaymentCancelRequested,
    PaymentPaid,
    StockRejected,
    StockReserved,
)
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.orders.cancelling import ALREADY_PAID, CancelOrder, decide_cancels
from doorbuster.orders.model import CancelReason, Order, OrderStatus, Saga, SagaStep
from doorbuster.orders.saga import advance
from tests.unit.doorbuster.orders.orders import ID, NEW_SAGA, ORDER, START

NOW = START + timedelta(seconds=5)
LATER = START + timedelta(seconds=9)
BUYER = ORDER.user_id
PAYING = advance(NEW_SAGA, [StockReserved(order_id=ID), CouponNone(order_id=ID)], NOW).after
PAID = advance(PAYING, [PaymentPaid(order_id=ID)], NOW).after
SOLD_OUT = advance(NEW_SAGA, [StockRejected(order_id=ID, reason="out-of-stock", product_id=5)], NOW).after


def cancel(number: int = 9, *, order_id: OrderId = ID, user: UserId = BUYER) -> CancelOrder:
    return CancelOrder(cancellation_id=UUID(int=number), order_id=order_id, user_id=user)


def after(saga: Saga) -> Saga:
    (transition,) = decide_cancels({ID: saga}, [cancel()], NOW).transitions
    return transition.after


@pytest.mark.parametrize("answers", [[], [StockReserved(order_id=ID)], [CouponNone(order_id=ID)]])
def test_before_the_payment_is_requested_the_order_failed_at_once(answers: list[Body]) -> None:
    saga = advance(NEW_SAGA, answers, NOW).after

    decision = decide_cancels({ID: saga}, [cancel()], LATER)

    failed = replace(ORDER, status=OrderStatus.FAILED, failure_reason=CancelReason.BUYER.value, finished_at=LATER)
    (transition,) = decision.transitions
    assert decision.outcomes == (failed,)
    assert transition.after.step is SagaStep.COMPENSATING
    assert transition.events == (OrderCancelled(order_id=ID, reason="cancelled-by-buyer"),)


def test_after_it_only_the_payment_group_decides() -> None:
    decision = decide_cancels({ID: PAYING}, [cancel()], LATER)

    (transition,) = decision.transitions
    assert decision.outcomes == (ORDER,)
    assert (transition.after.step, transition.order_changed) == (SagaStep.STOPPING, False)
    assert transition.events == (PaymentCancelRequested(order_id=ID, reason="cancelled-by-buyer"),)


@pytest.mark.parametrize(
    ("answer", "status", "event"),
    [
        (PaymentPaid(order_id=ID), OrderStatus.PAID, OrderCompleted),
        (PaymentCancelled(order_id=ID), OrderStatus.FAILED, OrderCancelled),
    ],
)
def test_what_the_payment_group_answers_is_what_becomes_of_it(
    answer: Body, status: OrderStatus, event: type[Body]
) -> None:
    transition = advance(after(PAYING), [answer], LATER)

    assert transition.after.order.status is status
    assert [type(sent) for sent in transition.events] == [event]


def test_a_paid_order_is_not_cancelled() -> None:
    decision = decide_cancels({ID: PAID}, [cancel()], LATER)

    assert decision.outcomes == (ALREADY_PAID,)
    assert not any(each.saga_changed or each.events for each in decision.transitions)


@pytest.mark.parametrize("saga", [SOLD_OUT, after(NEW_SAGA), after(PAYING)])
def test_what_is_failed_or_stopping_is_answered_again_and_changes_nothing(saga: Saga) -> None:
    decision = decide_cancels({ID: saga}, [cancel()], LATER)

    assert decision.outcomes == (saga.order,)
    assert not any(each.saga_changed or each.events for each in decision.transitions)


@pytest.mark.parametrize("saga", [NEW_SAGA, PAYING])
def test_two_cancels_of_one_batch_are_one(saga: Saga) -> None:
    decision = decide_cancels({ID: saga}, [cancel(1), cancel(2)], LATER)

    (transition,) = decision.transitions
    assert decision.outcomes == (transition.after.order,) * 2
    assert len(transition.events) == 1


def test_an_order_that_is_not_ones_own_is_as_unknown_as_none() -> None:
    stranger, nobody = cancel(user=UserId(99)), cancel(order_id=OrderId(UUID(int=77)))

    decision = decide_cancels({ID: NEW_SAGA}, [stranger, nobody], LATER)

    assert (decision.outcomes, decision.transitions) == ((None, None), ())


def test_a_strangers_cancel_in_the_same_batch_changes_nothing_about_the_buyers() -> None:
    decision = decide_cancels({ID: NEW_SAGA}, [cancel(user=UserId(99)), cancel()], LATER)

    assert decision.outcomes[0] is None
    assert isinstance(decision.outcomes[1], Order)
    assert len(decision.transitions) == 1
