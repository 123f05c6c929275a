from dataclasses import replace
from datetime import timedelta
from itertools import product

import msgspec
import pytest

from doorbuster.contracts.bodies import (
    BODIES,
    Body,
    CouponCancelled,
    CouponNone,
    CouponRejected,
    CouponReleased,
    CouponUsed,
    OrderCancelled,
    OrderCompleted,
    PaymentCancelled,
    PaymentCancelRequested,
    PaymentPaid,
    PaymentRejected,
    PaymentRequested,
    StockCancelled,
    StockRejected,
    StockReleased,
    StockReserved,
)
from doorbuster.contracts.topics import READ_BY, Group
from doorbuster.orders.model import CancelReason, Known, OrderStatus, Participant, Saga, SagaStep
from doorbuster.orders.saga import (
    MERGES,
    Transition,
    UnexpectedSagaEvent,
    advance,
    present_message,
    redriven,
    request_cancel,
    silent,
)
from tests.unit.doorbuster.orders.orders import ID, LINES, NEW_SAGA, ORDER, START

NOW = START + timedelta(seconds=5)
LATER = START + timedelta(seconds=50)
RESERVED, NO_COUPON, PAID = StockReserved(order_id=ID), CouponNone(order_id=ID), PaymentPaid(order_id=ID)
SOLD_OUT = StockRejected(order_id=ID, reason="out-of-stock", product_id=5)
USED = CouponUsed(order_id=ID, discount=25)
BAD_COUPON = CouponRejected(order_id=ID, reason="unknown-coupon")
TOO_POOR = PaymentRejected(order_id=ID, reason="insufficient-points")
RELEASED, CANCELLED = StockReleased(order_id=ID), StockCancelled(order_id=ID)
COUPON_RELEASED, COUPON_CANCELLED = CouponReleased(order_id=ID), CouponCancelled(order_id=ID)
PAYMENT_CANCELLED = PaymentCancelled(order_id=ID)
REQUEST = PaymentRequested(order_id=ID, user_id=3, amount=60)

PAYING = advance(NEW_SAGA, [RESERVED, NO_COUPON], NOW).after
STOPPING = request_cancel(PAYING, CancelReason.LOST, NOW).after
DONE = advance(PAYING, [PAID], NOW).after
# Stock rejected; coupon and payment may answer or not.
FAILED = advance(NEW_SAGA, [SOLD_OUT], NOW).after
COMPENSATED = advance(FAILED, [RELEASED, COUPON_RELEASED, PAYMENT_CANCELLED], NOW).after
SAGAS = {saga.step: saga for saga in (NEW_SAGA, PAYING, STOPPING, DONE, FAILED, COMPENSATED)}


def failed(saga: Saga, reason: str) -> Saga:
    order = replace(saga.order, status=OrderStatus.FAILED, failure_reason=reason, finished_at=LATER)
    return replace(saga, order=order, step=SagaStep.COMPENSATING, sent_at=LATER)


@pytest.mark.parametrize("answers", [[RESERVED, NO_COUPON], [NO_COUPON, RESERVED]], ids=["stock first", "coupon first"])
def test_payment_is_requested_when_stock_and_coupon_are_granted(answers: list[Body]) -> None:
    transition = advance(NEW_SAGA, answers, LATER)

    assert transition.events == (REQUEST,)
    assert transition.after == replace(
        NEW_SAGA, stock=Known.GRANTED, coupon=Known.GRANTED, step=SagaStep.PAYING, sent_at=LATER
    )
    assert transition.saga_changed
    assert not transition.order_changed


@pytest.mark.parametrize("answer", [RESERVED, NO_COUPON], ids=["stock", "coupon"])
def test_one_grant_alone_sends_nothing(answer: Body) -> None:
    transition = advance(NEW_SAGA, [answer, answer], LATER)

    assert transition.after.step is SagaStep.RESERVING
    assert transition.events == ()


@pytest.mark.parametrize("answers", [[RESERVED, USED], [USED, RESERVED, USED]], ids=["stock first", "coupon first"])
def test_what_the_coupon_takes_off_is_not_paid(answers: list[Body]) -> None:
    paying = advance(NEW_SAGA, answers, NOW)
    paid = advance(paying.after, [PAID], LATER)

    assert paying.events == (msgspec.structs.replace(REQUEST, amount=35),)
    assert (paying.after.order.discount, paying.after.order.to_pay) == (25, 35)
    assert paying.order_changed
    assert paid.events == (OrderCompleted(order_id=ID, user_id=3, lines=LINES, total=60, discount=25),)
    assert (paid.after.order.total, paid.after.order.discount) == (60, 25)


def test_payment_of_an_order_that_the_coupon_pays_is_requested_all_the_same() -> None:
    everything = CouponUsed(order_id=ID, discount=60)

    assert advance(NEW_SAGA, [RESERVED, everything], NOW).events == (msgspec.structs.replace(REQUEST, amount=0),)


@pytest.mark.parametrize(
    "answers",
    [[USED, SOLD_OUT], [SOLD_OUT, USED], [SOLD_OUT, COUPON_RELEASED, USED], [USED, RESERVED, TOO_POOR]],
    ids=["used first", "sold out first", "released first", "too poor"],
)
def test_failed_order_has_no_discount_whatever_came_first(answers: list[Body]) -> None:
    after = advance(NEW_SAGA, answers, NOW).after

    assert (after.order.status, after.order.discount) == (OrderStatus.FAILED, 0)


def test_redriven_payment_request_has_the_discount() -> None:
    paying = advance(NEW_SAGA, [RESERVED, USED], NOW).after

    assert present_message(paying) == msgspec.structs.replace(REQUEST, amount=35)


def test_paid_order_is_completed() -> None:
    transition = advance(PAYING, [PAID], LATER)

    paid = replace(ORDER, status=OrderStatus.PAID, finished_at=LATER)
    assert transition.after == replace(PAYING, order=paid, step=SagaStep.DONE, payment=Known.GRANTED)
    assert transition.events == (OrderCompleted(order_id=ID, user_id=3, lines=LINES, total=60),)
    assert transition.order_changed
    assert not transition.after.open


@pytest.mark.parametrize(
    ("before", "answer", "reason"),
    [
        (NEW_SAGA, SOLD_OUT, "out-of-stock"),
        (NEW_SAGA, BAD_COUPON, "unknown-coupon"),
        (PAYING, TOO_POOR, "insufficient-points"),
        (STOPPING, TOO_POOR, "insufficient-points"),
        (STOPPING, PAYMENT_CANCELLED, "lost"),
    ],
    ids=["stock", "coupon", "payment", "payment while stopping", "stopped"],
)
def test_order_fails_with_one_cancel_to_all(before: Saga, answer: Body, reason: str) -> None:
    transition = advance(before, [answer, answer], LATER)

    assert transition.events == (OrderCancelled(order_id=ID, reason=reason),)
    known = {participant: getattr(transition.after, participant) for participant in ("stock", "coupon", "payment")}
    assert transition.after == failed(replace(before, **known), reason)
    assert transition.order_changed


def test_second_rejection_neither_cancels_again_nor_changes_the_reason() -> None:
    transition = advance(FAILED, [BAD_COUPON], LATER)

    assert transition == Transition(before=FAILED, after=replace(FAILED, coupon=Known.REJECTED))


@pytest.mark.parametrize("stock", [[RELEASED], [CANCELLED, RELEASED]], ids=["released", "cancelled first"])
@pytest.mark.parametrize("coupon", [[COUPON_RELEASED], [COUPON_CANCELLED]], ids=["released", "cancelled"])
def test_failed_order_is_compensated_when_all_three_answered(stock: list[Body], coupon: list[Body]) -> None:
    waiting = advance(FAILED, [*stock, *coupon], NOW)
    transition = advance(waiting.after, [PAYMENT_CANCELLED], LATER)

    assert waiting.after.open
    assert waiting.after.order.compensated_at is None
    assert transition.after.step is SagaStep.COMPENSATED
    assert transition.after.order == replace(FAILED.order, compensated_at=LATER)
    assert not transition.after.open
    assert (waiting.events, transition.events) == ((), ())


def test_order_that_payment_stopped_still_waits_for_stock_and_coupon() -> None:
    stopped = advance(STOPPING, [PAYMENT_CANCELLED], NOW).after

    assert silent(stopped) == (Participant.STOCK, Participant.COUPON)
    assert advance(stopped, [RELEASED, COUPON_RELEASED], LATER).after.step is SagaStep.COMPENSATED


def test_payment_that_was_faster_than_its_cancel_completes_the_order() -> None:
    transition = advance(STOPPING, [PAID], LATER)

    assert transition.after.order.status is OrderStatus.PAID
    assert [event.type for event in transition.events] == ["order.completed"]


@pytest.mark.parametrize("reason", CancelReason)
def test_cancel_before_the_payment_was_requested_fails_the_order(reason: CancelReason) -> None:
    transition = request_cancel(NEW_SAGA, reason, LATER)

    assert transition.after == failed(NEW_SAGA, reason)
    assert transition.events == (OrderCancelled(order_id=ID, reason=reason),)


def test_cancel_after_the_payment_was_requested_only_asks_payment() -> None:
    transition = request_cancel(replace(PAYING, redrives=2), CancelReason.LOST, LATER)

    assert transition.after == replace(PAYING, step=SagaStep.STOPPING, cancel_reason="lost", sent_at=LATER, redrives=0)
    assert transition.events == (PaymentCancelRequested(order_id=ID, reason="lost"),)
    assert not transition.order_changed


@pytest.mark.parametrize("saga", [STOPPING, DONE, FAILED, COMPENSATED], ids=lambda saga: saga.step)
def test_cancel_of_an_order_that_is_final_or_stopping_does_nothing(saga: Saga) -> None:
    transition = request_cancel(saga, CancelReason.DEADLINE, LATER)

    assert transition == Transition(before=saga, after=saga)
    assert not transition.saga_changed


@pytest.mark.parametrize(
    ("saga", "body"),
    [
        (NEW_SAGA, ORDER.created()),
        (PAYING, REQUEST),
        (STOPPING, PaymentCancelRequested(order_id=ID, reason="lost")),
        (FAILED, OrderCancelled(order_id=ID, reason="out-of-stock")),
    ],
    ids=lambda value: value.step if isinstance(value, Saga) else value.type,
)
def test_redrive_sends_the_present_message_again_and_counts(saga: Saga, body: Body) -> None:
    once = redriven(saga, NOW).after

    assert redriven(once, LATER) == Transition(
        before=once, after=replace(saga, redrives=2, sent_at=LATER), events=(body,)
    )
    assert present_message(saga) == body


@pytest.mark.parametrize("saga", [DONE, COMPENSATED], ids=lambda saga: saga.step)
def test_saga_at_its_end_is_never_driven_again(saga: Saga) -> None:
    assert redriven(saga, LATER) == Transition(before=saga, after=saga)
    assert present_message(saga) is None
    assert silent(saga) == ()


def test_next_step_counts_its_redrives_anew() -> None:
    saga = redriven(redriven(NEW_SAGA, NOW).after, NOW).after

    assert advance(saga, [RESERVED, NO_COUPON], LATER).after.redrives == 0


def test_silent_are_those_whose_answer_the_step_needs() -> None:
    assert silent(NEW_SAGA) == (Participant.STOCK, Participant.COUPON)
    assert silent(advance(NEW_SAGA, [NO_COUPON], NOW).after) == (Participant.STOCK,)
    assert silent(PAYING) == (Participant.PAYMENT,)
    assert silent(STOPPING) == (Participant.PAYMENT,)
    assert silent(advance(FAILED, [COUPON_RELEASED], NOW).after) == (Participant.STOCK, Participant.PAYMENT)


ANSWERS: dict[str, Body] = {
    body.type: body
    for body in (
        RESERVED, SOLD_OUT, RELEASED, CANCELLED, NO_COUPON, USED, BAD_COUPON, COUPON_RELEASED, COUPON_CANCELLED, PAID,
        TOO_POOR, PAYMENT_CANCELLED,
    )
}  # fmt: skip
# Every answer that a saga takes in each step, here as FAILED for want of stock. Everything else is unexpected.
TAKEN = {
    SagaStep.RESERVING: {"stock.reserved", "stock.rejected", "coupon.none", "coupon.used", "coupon.rejected"},
    SagaStep.PAYING: {"stock.reserved", "coupon.none", "coupon.used", "payment.paid", "payment.rejected"},
    SagaStep.STOPPING: {
        "stock.reserved", "coupon.none", "coupon.used", "payment.paid", "payment.rejected", "payment.cancelled",
    },
    SagaStep.DONE: {"stock.reserved", "coupon.none", "coupon.used", "payment.paid"},
    SagaStep.COMPENSATING: {
        "stock.rejected", "stock.released", "stock.cancelled", "coupon.none", "coupon.used", "coupon.rejected",
        "coupon.released", "coupon.cancelled", "payment.cancelled",
    },
    # Here it is forgotten what was answered before the cancel.
    SagaStep.COMPENSATED: set(ANSWERS) - {"payment.paid"},
}  # fmt: skip


@pytest.mark.parametrize(("step", "name"), list(product(SagaStep, ANSWERS)), ids=str)
def test_answer_is_taken_or_unexpected_in_each_step(step: SagaStep, name: str) -> None:
    if name in TAKEN[step]:
        assert advance(SAGAS[step], [ANSWERS[name]], LATER).before is SAGAS[step]
    else:
        with pytest.raises(UnexpectedSagaEvent, match=f"{name} in step {step}"):
            advance(SAGAS[step], [ANSWERS[name]], LATER)


@pytest.mark.parametrize(("step", "name"), list(product([SagaStep.DONE, SagaStep.COMPENSATED], ANSWERS)), ids=str)
def test_final_saga_never_changes(step: SagaStep, name: str) -> None:
    if name in TAKEN[step]:
        assert advance(SAGAS[step], [ANSWERS[name]], LATER) == Transition(before=SAGAS[step], after=SAGAS[step])


def test_participant_that_contradicts_itself_is_unexpected() -> None:
    with pytest.raises(UnexpectedSagaEvent, match=r"stock\.rejected in step RESERVING, stock being GRANTED"):
        advance(NEW_SAGA, [RESERVED, SOLD_OUT], LATER)


def test_body_that_is_no_answer_is_unexpected() -> None:
    with pytest.raises(UnexpectedSagaEvent, match=r"doesn't read order\.cancelled"):
        advance(NEW_SAGA, [OrderCancelled(order_id=ID, reason="lost")], LATER)


def test_table_knows_every_type_in_the_topics_of_the_flow_manager() -> None:
    assert set(MERGES) == {body for body in BODIES if body.topic in READ_BY[Group.ORDER_FLOW]}
