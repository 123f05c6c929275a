"""Orders: what a buyer asked for, the decision to accept it, and where its saga stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from doorbuster.contracts.bodies import OrderCreated, OrderLine
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal

MOST_LINES = 100
MOST_UNITS = 1_000
# Greater integers lose digits in JSON readers that hold numbers as doubles.
GREATEST_TOTAL = 2**53


class OrderStatus(StrEnum):
    """What the buyer sees; PAID and FAILED never change again."""

    PENDING = "PENDING"
    PAID = "PAID"
    FAILED = "FAILED"


class Priced(Protocol):
    """What placing needs of the catalogue: a product's price in points."""

    @property
    def price(self) -> int:
        """Points for one unit."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLine:
    """So many units of a product, as the client wrote it: nothing is checked."""

    product_id: ProductId
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """A buyer's command; the route minted `order_id` once, so a repeat carries the same (R1, R2)."""

    order_id: OrderId
    user_id: UserId
    lines: tuple[WantedLine, ...]
    coupon_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An accepted order.

    Attributes:
        total: the sum of its lines, in points.
        discount: what its coupon takes off, in points; 0 until the coupon group has answered, and when it FAILED.
        failure_reason: None unless FAILED.
        finished_at: when it became PAID or FAILED; None while PENDING.
        compensated_at: when all participants had undone a FAILED order; None before, and for other orders.
    """

    id: OrderId
    user_id: UserId
    lines: tuple[OrderLine, ...]
    total: int
    created_at: datetime
    coupon_id: int | None = None
    discount: int = 0
    status: OrderStatus = OrderStatus.PENDING
    failure_reason: str | None = None
    finished_at: datetime | None = None
    compensated_at: datetime | None = None

    @property
    def to_pay(self) -> int:
        """Return the points that are paid for it; 0 if its coupon takes off all."""
        return self.total - self.discount

    def created(self) -> OrderCreated:
        """Return the event that starts the saga, or a redrive of it."""
        return OrderCreated(
            order_id=self.id, user_id=self.user_id, lines=self.lines, total=self.total, coupon_id=self.coupon_id
        )


class SagaStep(StrEnum):
    """What the flow manager waits for."""

    RESERVING = "RESERVING"
    """Stock and coupon are to answer the order."""
    PAYING = "PAYING"
    """Payment is to answer the request; from here on only payment decides."""
    STOPPING = "STOPPING"
    """Payment was asked to cancel: it answers paid, rejected or cancelled."""
    COMPENSATING = "COMPENSATING"
    """The order FAILED; everybody is to answer the cancel."""
    COMPENSATED = "COMPENSATED"
    DONE = "DONE"


class Known(StrEnum):
    """What the flow manager knows of a participant, the latest fact in its life."""

    NOTHING = "NOTHING"
    GRANTED = "GRANTED"
    """Stock reserved, coupon none or used, payment paid."""
    REJECTED = "REJECTED"
    UNDONE = "UNDONE"
    """It answered a cancel: it holds nothing for the order, and never will."""


class CancelReason(StrEnum):
    """Why an order is cancelled that no participant rejected."""

    DEADLINE = "deadline"
    """It was not finished in the time that the business gives it (R15)."""
    LOST = "lost"
    """A step stayed without answer although it was driven again (R15)."""
    BUYER = "cancelled-by-buyer"
    """The buyer gave it up while it was PENDING."""


class Participant(StrEnum):
    """Who answers."""

    STOCK = "stock"
    COUPON = "coupon"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saga:
    """An order and what is known of its participants.

    Attributes:
        cancel_reason: why payment was asked to cancel; None unless it was.
        redrives: how often the present step was sent again.
        sent_at: when the present step's message was stored, first or again.
    """

    order: Order
    step: SagaStep
    sent_at: datetime
    stock: Known = Known.NOTHING
    coupon: Known = Known.NOTHING
    payment: Known = Known.NOTHING
    cancel_reason: str | None = None
    redrives: int = 0

    @property
    def open(self) -> bool:
        """Whether anything is still awaited."""
        return self.step not in {SagaStep.DONE, SagaStep.COMPENSATED}


def begin(order: Order) -> Saga:
    """Return the saga of an order just accepted; its first event is `order.created()`."""
    return Saga(order=order, step=SagaStep.RESERVING, sent_at=order.created_at)


def place(
    catalogue: Mapping[ProductId, Priced], commands: Sequence[PlaceOrder], now: datetime
) -> tuple[Order | Refusal, ...]:
    """Return for each command, in their order, the accepted order, or why it is refused.

    An accepted order is stored with `begin(order)` and its event `order.created()` in one transaction. A product
    may stand in one line only: two lines of it are refused and not summed, so that what the buyer meant is certain.
    Stock and points are not looked at: the saga does that.

    Args:
        catalogue: the products of all commands; one that is absent is unknown.
        commands: what buyers ask for.
        now: the database's time (R19).
    """
    return tuple(_place(catalogue, command, now) for command in commands)


def _place(catalogue: Mapping[ProductId, Priced], command: PlaceOrder, now: datetime) -> Order | Refusal:
    refusal = _refusal(catalogue, command.lines)
    if refusal:
        return refusal
    lines = tuple(
        OrderLine(product_id=line.product_id, quantity=line.quantity, unit_price=catalogue[line.product_id].price)
        for line in command.lines
    )
    total = sum(line.quantity * line.unit_price for line in lines)
    if total > GREATEST_TOTAL:
        return Refusal(code="total-too-large", field="lines", detail=f"The order's total is over {GREATEST_TOTAL}.")
    return Order(
        id=command.order_id,
        user_id=command.user_id,
        lines=lines,
        total=total,
        created_at=now,
        coupon_id=command.coupon_id,
    )


def _refusal(catalogue: Mapping[ProductId, Priced], lines: Sequence[WantedLine]) -> Refusal | None:
    if not 1 <= len(lines) <= MOST_LINES:
        return Refusal(code="bad-lines", field="lines", detail=f"An order has 1 to {MOST_LINES} lines.")
    seen: set[ProductId] = set()
    for position, line in enumerate(lines):
        if not 1 <= line.quantity <= MOST_UNITS:
            return Refusal(
                code="bad-quantity", field=f"lines[{position}].quantity", detail=f"A line has 1 to {MOST_UNITS} units."
            )
        field = f"lines[{position}].product_id"
        if line.product_id in seen:
            return Refusal(code="duplicate-product", field=field, detail="The product stands in an earlier line too.")
        if line.product_id not in catalogue:
            return Refusal(code="unknown-product", field=field, detail=f"There is no product {line.product_id}.")
        seen.add(line.product_id)
    return None
