"""The order in which answers come, how often, and in which batches makes no difference."""

from dataclasses import dataclass, field
from datetime import timedelta

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
from doorbuster.orders.model import CancelReason, Known, OrderStatus, Saga, SagaStep
from doorbuster.orders.saga import Transition, advance, request_cancel
from tests.unit.doorbuster.orders.orders import ID, NEW_SAGA, START

NOW = START + timedelta(seconds=5)
RESERVED, SOLD_OUT = StockReserved(order_id=ID), StockRejected(order_id=ID, reason="out-of-stock", product_id=5)
NO_COUPON, BAD_COUPON = CouponNone(order_id=ID), CouponRejected(order_id=ID, reason="unknown-coupon")
USED = CouponUsed(order_id=ID, discount=25)
AFTER_FAILURE: list[Body] = [
    StockReleased(order_id=ID), StockCancelled(order_id=ID), CouponReleased(order_id=ID), CouponCancelled(order_id=ID),
    PaymentCancelled(order_id=ID),
]  # fmt: skip


def essence(transition: Transition) -> tuple[object, ...]:
    """Return everything but which of two rejections came first, and so gave the reason."""
    saga = transition.after
    known = (saga.stock, saga.coupon, saga.payment)
    shown = (saga.order.status, saga.order.discount, saga.order.compensated_at)
    return saga.step, *known, *shown, [body.type for body in transition.events]


@given(st.sampled_from((RESERVED, SOLD_OUT)), st.sampled_from((NO_COUPON, USED, BAD_COUPON)), st.data())
def test_first_answers_commute_and_repeat(stock: Body, coupon: Body, data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from((stock, coupon)), max_size=3))
    answers = data.draw(st.permutations([stock, coupon, *again]))

    assert essence(advance(NEW_SAGA, answers, NOW)) == essence(advance(NEW_SAGA, [coupon, stock], NOW))


@given(st.sampled_from((RESERVED, SOLD_OUT)), st.sampled_from((NO_COUPON, USED, BAD_COUPON)), st.data())
def test_answers_to_a_cancel_commute_with_late_ones_and_repeat(stock: Body, coupon: Body, data: st.DataObject) -> None:
    failed = request_cancel(NEW_SAGA, CancelReason.DEADLINE, NOW).after
    again = data.draw(st.lists(st.sampled_from((stock, coupon, *AFTER_FAILURE)), max_size=4))
    answers = data.draw(st.permutations([stock, coupon, *AFTER_FAILURE, *again]))

    transition = advance(failed, answers, NOW)

    assert transition.after.step is SagaStep.COMPENSATED
    assert {transition.after.stock, transition.after.coupon, transition.after.payment} == {Known.UNDONE}
    assert transition.events == ()


@given(st.permutations([RESERVED, NO_COUPON, RESERVED, NO_COUPON]), st.integers(0, 4))
def test_where_a_batch_ends_makes_no_difference(answers: list[Body], end: int) -> None:
    first = advance(NEW_SAGA, answers[:end], NOW)
    second = advance(first.after, answers[end:], NOW)
    whole = advance(NEW_SAGA, answers, NOW)

    assert second.after == whole.after
    assert first.events + second.events == whole.events


@dataclass(kw_only=True)
class Network:
    """Participants that grant or reject, and messages on their way that may be delivered twice, in any order."""

    grants: dict[str, bool]
    saga: Saga = NEW_SAGA
    said: dict[str, Body] = field(default_factory=dict)
    cancels: int = 0

    def deliver(self, body: Body) -> list[Body]:
        """Return what the reader of a message sends."""
        match body:
            case OrderCreated():
                return [
                    self.once("stock", RESERVED if self.grants["stock"] else SOLD_OUT),
                    self.once("coupon", NO_COUPON if self.grants["coupon"] else BAD_COUPON),
                ]
            case PaymentRequested():
                rejected = PaymentRejected(order_id=ID, reason="insufficient-points")
                return [self.once("payment", PaymentPaid(order_id=ID) if self.grants["payment"] else rejected)]
            case PaymentCancelRequested():
                return [self.once("payment", PaymentCancelled(order_id=ID))]
            case OrderCancelled():
                self.said.setdefault("stock", StockCancelled(order_id=ID))
                self.said.setdefault("coupon", CouponCancelled(order_id=ID))
                return [StockReleased(order_id=ID), CouponReleased(order_id=ID), PaymentCancelled(order_id=ID)]
            case _:
                return self.moved(advance(self.saga, [body], NOW))

    def once(self, who: str, body: Body) -> Body:
        """Return what the participant said first."""
        return self.said.setdefault(who, body)

    def moved(self, transition: Transition) -> list[Body]:
        self.saga = transition.after
        self.cancels += sum(isinstance(event, OrderCancelled) for event in transition.events)
        return [event for event in transition.events if event.type != "order.completed"]


@given(
    grants=st.fixed_dictionaries({who: st.booleans() for who in ("stock", "coupon", "payment")}),
    cancel_after=st.none() | st.integers(0, 8),
    choices=st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=60, max_size=60),
)
def test_every_way_through_the_network_ends_well(
    grants: dict[str, bool], cancel_after: int | None, choices: list[tuple[int, bool]]
) -> None:
    network = Network(grants=grants)
    waiting: list[Body] = [NEW_SAGA.order.created()]
    for turn, (index, repeated) in enumerate(choices):
        if turn == cancel_after:
            waiting += network.moved(request_cancel(network.saga, CancelReason.LOST, NOW))
        if waiting:
            position = index % len(waiting)
            # Repeats come early only, so that the network runs dry before the choices do.
            body = waiting[position] if repeated and turn < 10 else waiting.pop(position)
            waiting += network.deliver(body)
    while waiting:
        waiting += network.deliver(waiting.pop())

    assert not network.saga.open
    if network.saga.order.status is OrderStatus.PAID:
        assert all(grants.values())
        assert network.cancels == 0
        assert network.said["payment"] == PaymentPaid(order_id=ID)
    else:
        assert cancel_after is not None or not all(grants.values())
        assert network.cancels == 1
        assert network.said.get("payment") != PaymentPaid(order_id=ID)
