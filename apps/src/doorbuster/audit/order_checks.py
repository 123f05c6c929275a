"""Judges one order with all that the participants hold for it. Pure.

The words of the statuses are the tables' own: what is stored is to be judged, also a word that no enumeration has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from doorbuster.audit.model import Breach, Finding, Invariant, Limits, Subject, Waiting
from doorbuster.coupons.model import RedemptionStatus
from doorbuster.orders.model import OrderStatus, SagaStep
from doorbuster.points.model import PaymentStatus
from doorbuster.products.model import ReservationStatus

_OPEN_STEPS = {
    OrderStatus.PENDING.value: {SagaStep.RESERVING, SagaStep.PAYING, SagaStep.STOPPING},
    OrderStatus.PAID.value: {SagaStep.DONE},
    OrderStatus.FAILED.value: {SagaStep.COMPENSATING, SagaStep.COMPENSATED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """An order and the rows of its id; None where there is no row.

    Attributes:
        due: what is to be paid: the total without the coupon's discount, in points.
        saga_open: whether the saga's row says that something is awaited.
        counted_at: when it was counted as a sale; 1970 is the mark of a claim that wasn't finished.
        announced: whether its first message is in the outbox, or it is too old to have one.
    """

    id: bytes
    status: str
    due: int
    created_at: datetime
    coupon_id: int | None = None
    finished_at: datetime | None = None
    compensated_at: datetime | None = None
    step: str | None = None
    saga_open: bool | None = None
    reservation: str | None = None
    payment: str | None = None
    paid: int | None = None
    redemption: str | None = None
    counted_at: datetime | None = None
    announced: bool = True


def judge_order(order: OrderFacts, now: datetime, limits: Limits) -> Iterator[Finding]:
    """Yield what is wrong with an order, and what it still waits for.

    Args:
        order: as one snapshot shows it.
        now: the snapshot's moment.
        limits: how long it may wait.
    """
    if not order.announced:
        yield _breach(Invariant.OUTBOX, order, "its order.created is not in the outbox")
    yield from _saga(order)
    match order.status:
        case OrderStatus.PENDING:
            yield from _pending(order, now, limits)
        case OrderStatus.PAID:
            yield from _paid(order, now, limits)
        case OrderStatus.FAILED:
            yield from _failed(order, now, limits)


def _saga(order: OrderFacts) -> Iterator[Finding]:
    steps = _OPEN_STEPS.get(order.status)
    if steps is None:
        yield _breach(Invariant.ORDERS, order, f"its status is {order.status}")
    elif order.step is None:
        yield _breach(Invariant.ORDERS, order, f"it is {order.status} and has no saga")
    elif order.step not in steps:
        yield _breach(Invariant.ORDERS, order, f"it is {order.status}, and its saga is {order.step}")
    elif order.saga_open is (order.step in {SagaStep.DONE, SagaStep.COMPENSATED}):
        yield _breach(Invariant.ORDERS, order, f"its saga is {order.step}, and open={order.saga_open:d}")


def _pending(order: OrderFacts, now: datetime, limits: Limits) -> Iterator[Finding]:
    if order.finished_at is not None or order.compensated_at is not None:
        yield _breach(Invariant.ORDERS, order, "it is PENDING, and has an end")
    age = now - order.created_at
    if age > limits.final:
        yield _breach(Invariant.ORDERS, order, f"it is PENDING since {age.total_seconds():.0f} s")
    else:
        yield Waiting.PENDING


def _paid(order: OrderFacts, now: datetime, limits: Limits) -> Iterator[Finding]:
    if order.finished_at is None or order.compensated_at is not None:
        yield _breach(Invariant.ORDERS, order, "it is PAID, and without an end or compensated")
    if order.reservation != ReservationStatus.RESERVED:
        yield _breach(Invariant.RESERVATIONS, order, f"it is PAID, and its reservation is {_word(order.reservation)}")
    if order.payment != PaymentStatus.PAID or order.paid != order.due:
        said = f"its payment is {_word(order.payment)}, {order.paid} of {order.due} points"
        yield _breach(Invariant.PAYMENTS, order, f"it is PAID, and {said}")
    if order.redemption != (RedemptionStatus.NONE if order.coupon_id is None else RedemptionStatus.USED):
        yield _breach(Invariant.COUPONS, order, f"it is PAID, and its redemption is {_word(order.redemption)}")
    yield from _counted(order, now, limits)


def _counted(order: OrderFacts, now: datetime, limits: Limits) -> Iterator[Finding]:
    if order.counted_at is not None:
        if order.counted_at < order.created_at:
            yield _breach(Invariant.SALES, order, "it was claimed as a sale, and never counted")
    elif order.finished_at is not None and now - order.finished_at > limits.counted:
        seconds = (now - order.finished_at).total_seconds()
        yield _breach(Invariant.SALES, order, f"it is PAID since {seconds:.0f} s, and not counted as a sale")
    else:
        yield Waiting.UNCOUNTED


def _failed(order: OrderFacts, now: datetime, limits: Limits) -> Iterator[Finding]:
    if order.finished_at is None:
        yield _breach(Invariant.ORDERS, order, "it is FAILED, and without an end")
    if order.payment == PaymentStatus.PAID:
        yield _breach(Invariant.PAYMENTS, order, "it is FAILED, and its payment is PAID")
    if order.counted_at is not None:
        yield _breach(Invariant.SALES, order, "it is FAILED, and counted as a sale")
    if order.compensated_at is not None:
        yield from _compensated(order)
    elif order.finished_at is not None and now - order.finished_at > limits.compensated:
        seconds = (now - order.finished_at).total_seconds()
        yield _breach(Invariant.ORDERS, order, f"it is FAILED since {seconds:.0f} s, and not compensated")
    else:
        yield Waiting.UNCOMPENSATED


def _compensated(order: OrderFacts) -> Iterator[Finding]:
    # Everybody has answered the cancel, so everybody has a row: a tombstone if nothing else.
    if order.step == SagaStep.COMPENSATING:
        yield _breach(Invariant.ORDERS, order, "it is compensated, and its saga is COMPENSATING")
    if order.reservation in {None, ReservationStatus.RESERVED}:
        said = _word(order.reservation)
        yield _breach(Invariant.RESERVATIONS, order, f"it is compensated, and its reservation is {said}")
    if order.payment is None:
        yield _breach(Invariant.PAYMENTS, order, "it is compensated, and its payment is missing")
    if order.redemption in {None, RedemptionStatus.USED}:
        yield _breach(Invariant.COUPONS, order, f"it is compensated, and its redemption is {_word(order.redemption)}")


def _word(status: str | None) -> str:
    return "missing" if status is None else status


def _breach(invariant: Invariant, order: OrderFacts, detail: str) -> Breach:
    return Breach(invariant=invariant, subject=Subject.ORDER, id=order.id, detail=detail)
