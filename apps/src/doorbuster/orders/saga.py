"""The flow manager: merges what stock, coupon and payment answer, and decides an order's next step (R14).

Two tables say everything. `MERGES` says what each answer teaches, whatever came before; `_next` says what follows from
what is known. Nothing depends on the order of answers, except which of two rejections is named as the reason. What a
coupon takes off is learned with its grant, and forgotten when the order FAILED: then nothing is paid.

    step          is left when                         to            and sends
    RESERVING     stock reserved, coupon none or used  PAYING        payment.requested
                  anything rejected, or a cancel       COMPENSATING  order.cancelled           (order FAILED)
    PAYING        payment paid                         DONE          order.completed           (order PAID)
                  payment rejected                     COMPENSATING  order.cancelled           (order FAILED)
                  a cancel                             STOPPING      payment.cancel-requested
    STOPPING      payment paid                         DONE          order.completed           (order PAID)
                  payment cancelled or rejected        COMPENSATING  order.cancelled           (order FAILED)
    COMPENSATING  all three have answered the cancel   COMPENSATED
    DONE, COMPENSATED are never left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from doorbuster.contracts.bodies import (
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
from doorbuster.kernel.errors import DecisionFailed
from doorbuster.orders.model import Known, Order, OrderStatus, Participant, Saga, SagaStep


class UnexpectedSagaEvent(DecisionFailed):
    """An answer that the protocol rules out: a participant contradicts itself, or answers what nobody asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A saga before and after something happened, and the events to send."""

    before: Saga
    after: Saga
    events: tuple[Body, ...] = ()

    @property
    def saga_changed(self) -> bool:
        """Whether the saga's row is to be written."""
        return self.after != self.before

    @property
    def order_changed(self) -> bool:
        """Whether the order's row is to be written."""
        return self.after.order != self.before.order


Moved = tuple[Saga, tuple[Body, ...]]
"""A saga after something happened, and the events to send."""

_AFTER_FAILURE = frozenset({SagaStep.COMPENSATING, SagaStep.COMPENSATED})
_AFTER_REQUEST = frozenset({SagaStep.PAYING, SagaStep.STOPPING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What an answer teaches.

    Attributes:
        learns: knowledge before → after, in the steps `when`.
        repeats: knowledge that says as much or more: the answer is a duplicate or late, in every step.
    """

    who: Participant
    learns: Mapping[Known, Known]
    when: frozenset[SagaStep]
    repeats: frozenset[Known]


# Letters, so that the table below fits the eye.
_N, _G, _R, _U = Known.NOTHING, Known.GRANTED, Known.REJECTED, Known.UNDONE
_RESERVING_OR_FAILED = _AFTER_FAILURE | {SagaStep.RESERVING}


def _granted(who: Participant) -> Merge:
    return Merge(who=who, learns={_N: _G}, when=_RESERVING_OR_FAILED, repeats=frozenset({_G, _U}))


def _rejected(who: Participant) -> Merge:
    return Merge(who=who, learns={_N: _R}, when=_RESERVING_OR_FAILED, repeats=frozenset({_R, _U}))


def _undone(who: Participant) -> Merge:
    return Merge(who=who, learns={_N: _U, _G: _U, _R: _U}, when=_AFTER_FAILURE, repeats=frozenset({_U}))


MERGES: Mapping[type[Body], Merge] = MappingProxyType(
    {
        StockReserved: _granted(Participant.STOCK),
        StockRejected: _rejected(Participant.STOCK),
        StockReleased: _undone(Participant.STOCK),
        StockCancelled: _undone(Participant.STOCK),
        CouponNone: _granted(Participant.COUPON),
        CouponUsed: _granted(Participant.COUPON),
        CouponRejected: _rejected(Participant.COUPON),
        CouponReleased: _undone(Participant.COUPON),
        CouponCancelled: _undone(Participant.COUPON),
        # Paid is final, so it never meets UNDONE; rejected is answered again to whatever comes later.
        PaymentPaid: Merge(who=Participant.PAYMENT, learns={_N: _G}, when=_AFTER_REQUEST, repeats=frozenset({_G})),
        PaymentRejected: Merge(
            who=Participant.PAYMENT, learns={_N: _R}, when=_AFTER_REQUEST, repeats=frozenset({_R, _U})
        ),
        PaymentCancelled: Merge(
            who=Participant.PAYMENT,
            learns={_N: _U, _R: _U},
            when=_AFTER_FAILURE | {SagaStep.STOPPING},
            repeats=frozenset({_U}),
        ),
    }
)


def advance(saga: Saga, bodies: Sequence[Body], now: datetime) -> Transition:
    """Return what the answers to one order lead to.

    Raises:
        UnexpectedSagaEvent: an answer that the protocol rules out.
    """
    after, events = saga, list[Body]()
    for body in bodies:
        after, sent = _next(_merged(after, body), body, now)
        events.extend(sent)
    return Transition(before=saga, after=after, events=tuple(events))


def request_cancel(saga: Saga, reason: str, now: datetime) -> Transition:
    """Return what a cancel leads to that no participant asked for; nothing, if the order is final or stopping.

    Before the payment was requested the order FAILED at once; after, only payment decides (R14).
    """
    match saga.step:
        case SagaStep.RESERVING:
            after, events = _failed(saga, reason, now)
        case SagaStep.PAYING:
            after, events = _entered(replace(saga, cancel_reason=reason), SagaStep.STOPPING, now)
        case _:
            after, events = saga, ()
    return Transition(before=saga, after=after, events=events)


def redriven(saga: Saga, now: datetime) -> Transition:
    """Return the saga with the present step's message sent again; nothing, if it isn't open (R15)."""
    if not saga.open:
        return Transition(before=saga, after=saga)
    after = replace(saga, redrives=saga.redrives + 1, sent_at=now)
    return Transition(before=saga, after=after, events=_messages(saga))


def present_message(saga: Saga) -> Body | None:
    """Return the message whose answers are awaited; None when the saga isn't open."""
    return next(iter(_messages(saga)), None)


def silent(saga: Saga) -> tuple[Participant, ...]:
    """Return who hasn't answered the present step's message."""
    match saga.step:
        case SagaStep.RESERVING:
            return _those(saga, (Participant.STOCK, Participant.COUPON), lacking={Known.NOTHING})
        case SagaStep.PAYING | SagaStep.STOPPING:
            return (Participant.PAYMENT,)
        case SagaStep.COMPENSATING:
            return _those(saga, tuple(Participant), lacking=set(Known) - {Known.UNDONE})
        case _:
            return ()


def _those(saga: Saga, participants: Iterable[Participant], *, lacking: set[Known]) -> tuple[Participant, ...]:
    return tuple(who for who in participants if _known(saga, who) in lacking)


def _known(saga: Saga, who: Participant) -> Known:
    return {Participant.STOCK: saga.stock, Participant.COUPON: saga.coupon, Participant.PAYMENT: saga.payment}[who]


def _merged(saga: Saga, body: Body) -> Saga:
    merge = MERGES.get(type(body))
    if merge is None:
        raise UnexpectedSagaEvent(f"the flow manager doesn't read {body.type}")
    known = _known(saga, merge.who)
    if known in merge.repeats:
        return saga
    if known not in merge.learns or saga.step not in merge.when:
        raise UnexpectedSagaEvent(f"{body.type} in step {saga.step}, {merge.who} being {known}")
    learned = merge.learns[known]
    match merge.who:
        case Participant.STOCK:
            return replace(saga, stock=learned)
        case Participant.COUPON:
            return replace(saga, coupon=learned, order=_discounted(saga, body))
        case _:
            return replace(saga, payment=learned)


def _discounted(saga: Saga, body: Body) -> Order:
    # A grant that comes after the order FAILED is soon undone.
    if isinstance(body, CouponUsed) and saga.step is SagaStep.RESERVING:
        return replace(saga.order, discount=body.discount)
    return saga.order


def _next(saga: Saga, body: Body, now: datetime) -> Moved:
    match saga.step, saga.stock, saga.coupon, saga.payment:
        case (SagaStep.RESERVING, Known.REJECTED, _, _) | (SagaStep.RESERVING, _, Known.REJECTED, _):
            return _failed(saga, _reason(saga, body), now)
        case SagaStep.RESERVING, Known.GRANTED, Known.GRANTED, _:
            return _entered(saga, SagaStep.PAYING, now)
        case ((SagaStep.PAYING | SagaStep.STOPPING), _, _, Known.GRANTED):
            return _paid(saga, now)
        case ((SagaStep.PAYING | SagaStep.STOPPING), _, _, (Known.REJECTED | Known.UNDONE)):
            return _failed(saga, _reason(saga, body), now)
        case SagaStep.COMPENSATING, Known.UNDONE, Known.UNDONE, Known.UNDONE:
            order = replace(saga.order, compensated_at=now)
            return replace(saga, order=order, step=SagaStep.COMPENSATED), ()
        case _:
            return saga, ()


def _reason(saga: Saga, body: Body) -> str:
    if isinstance(body, StockRejected | CouponRejected | PaymentRejected):
        return body.reason
    return saga.cancel_reason or ""


def _messages(saga: Saga) -> tuple[Body, ...]:
    order = saga.order
    match saga.step:
        case SagaStep.RESERVING:
            return (order.created(),)
        case SagaStep.PAYING:
            return (PaymentRequested(order_id=order.id, user_id=order.user_id, amount=order.to_pay),)
        case SagaStep.STOPPING:
            return (PaymentCancelRequested(order_id=order.id, reason=saga.cancel_reason or ""),)
        case SagaStep.COMPENSATING:
            return (OrderCancelled(order_id=order.id, reason=order.failure_reason or ""),)
        case _:
            return ()


def _failed(saga: Saga, reason: str, now: datetime) -> Moved:
    order = replace(saga.order, status=OrderStatus.FAILED, failure_reason=reason, finished_at=now, discount=0)
    return _entered(replace(saga, order=order), SagaStep.COMPENSATING, now)


def _paid(saga: Saga, now: datetime) -> Moved:
    order = replace(saga.order, status=OrderStatus.PAID, finished_at=now)
    completed = OrderCompleted(
        order_id=order.id, user_id=order.user_id, lines=order.lines, total=order.total, discount=order.discount
    )
    return replace(saga, order=order, step=SagaStep.DONE), (completed,)


def _entered(saga: Saga, step: SagaStep, now: datetime) -> Moved:
    after = replace(saga, step=step, sent_at=now, redrives=0)
    return after, _messages(after)
