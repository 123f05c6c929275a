"""The bodies of all messages: those of the order saga, and those of the issue of coupons.

A body's `type` and `version` are those of its class; a change that old readers can't understand is a new class with the
next version. Points are integers.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta, Struct

from doorbuster.contracts.topics import Topic

# What a column holds. Beyond that the database makes a fraction of an integer inside JSON, and nobody could read the
# row again.
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class AnyBody(Struct, frozen=True, kw_only=True):
    """What a message says, and what it is about."""

    type: ClassVar[str]
    version: ClassVar[int] = 1
    topic: ClassVar[Topic]

    @property
    def key(self) -> UUID:
        """Return the id of what the message is about: its key in the outbox and in Kafka."""
        raise NotImplementedError


class Body(AnyBody, frozen=True, kw_only=True):
    """What every message of the saga is about: one order, whose id is also the message's key (R14)."""

    order_id: UUID

    @property
    def key(self) -> UUID:
        """Return the order's id."""
        return self.order_id


class OrderLine(Struct, frozen=True, kw_only=True):
    """So many units of a product at the price at which they were ordered, in points."""

    product_id: Whole
    quantity: Whole
    unit_price: Whole


class OrderCreated(Body, frozen=True, kw_only=True):
    """A buyer's order was accepted; `total` is the sum of its lines, in points. Sent again by a redrive."""

    type: ClassVar[str] = "order.created"
    topic: ClassVar[Topic] = Topic.ORDER_CREATED

    user_id: Whole
    lines: tuple[OrderLine, ...]
    total: Whole
    coupon_id: Whole | None = None


class OrderCancelled(Body, frozen=True, kw_only=True):
    """The order FAILED: every participant undoes what it did, or never does it."""

    type: ClassVar[str] = "order.cancelled"
    topic: ClassVar[Topic] = Topic.ORDER_CANCELLED

    reason: str


class PaymentCancelRequested(Body, frozen=True, kw_only=True):
    """After `payment.requested` only the payment group decides: it answers paid or cancelled. Others ignore this."""

    type: ClassVar[str] = "payment.cancel-requested"
    topic: ClassVar[Topic] = Topic.ORDER_CANCELLED

    reason: str


class StockReserved(Body, frozen=True, kw_only=True):
    """All lines are reserved."""

    type: ClassVar[str] = "stock.reserved"
    topic: ClassVar[Topic] = Topic.STOCK_RESERVED


class StockRejected(Body, frozen=True, kw_only=True):
    """Nothing is reserved: `product_id` is out of stock, or unknown."""

    type: ClassVar[str] = "stock.rejected"
    topic: ClassVar[Topic] = Topic.STOCK_RESERVED

    reason: str
    product_id: Whole


class StockReleased(Body, frozen=True, kw_only=True):
    """The answer to a cancel: nothing is reserved for the order, and nothing will be."""

    type: ClassVar[str] = "stock.released"
    topic: ClassVar[Topic] = Topic.STOCK_RESERVED


class StockCancelled(Body, frozen=True, kw_only=True):
    """The answer to an order that came after its cancel: nothing was reserved."""

    type: ClassVar[str] = "stock.cancelled"
    topic: ClassVar[Topic] = Topic.STOCK_RESERVED


class CouponNone(Body, frozen=True, kw_only=True):
    """The order has no coupon; the coupon group answers every order."""

    type: ClassVar[str] = "coupon.none"
    topic: ClassVar[Topic] = Topic.COUPON_USED


class CouponUsed(Body, frozen=True, kw_only=True):
    """The order's coupon is redeemed: `discount` points less are to be paid, never more than the order's total."""

    type: ClassVar[str] = "coupon.used"
    topic: ClassVar[Topic] = Topic.COUPON_USED

    discount: Whole


class CouponRejected(Body, frozen=True, kw_only=True):
    """The order's coupon can't be used."""

    type: ClassVar[str] = "coupon.rejected"
    topic: ClassVar[Topic] = Topic.COUPON_USED

    reason: str


class CouponReleased(Body, frozen=True, kw_only=True):
    """The answer to a cancel: no coupon is used by the order, and none will be."""

    type: ClassVar[str] = "coupon.released"
    topic: ClassVar[Topic] = Topic.COUPON_USED


class CouponCancelled(Body, frozen=True, kw_only=True):
    """The answer to an order that came after its cancel."""

    type: ClassVar[str] = "coupon.cancelled"
    topic: ClassVar[Topic] = Topic.COUPON_USED


class PaymentRequested(Body, frozen=True, kw_only=True):
    """Spend `amount` points of the user on the order, perhaps none. Sent again by a redrive."""

    type: ClassVar[str] = "payment.requested"
    topic: ClassVar[Topic] = Topic.PROCESS_PAYMENT

    user_id: Whole
    amount: Whole


class PaymentPaid(Body, frozen=True, kw_only=True):
    """The points are spent."""

    type: ClassVar[str] = "payment.paid"
    topic: ClassVar[Topic] = Topic.PAYMENT_RESULT


class PaymentRejected(Body, frozen=True, kw_only=True):
    """The points are not spent: too few of them."""

    type: ClassVar[str] = "payment.rejected"
    topic: ClassVar[Topic] = Topic.PAYMENT_RESULT

    reason: str


class PaymentCancelled(Body, frozen=True, kw_only=True):
    """No points are spent on the order (any more), and none will be."""

    type: ClassVar[str] = "payment.cancelled"
    topic: ClassVar[Topic] = Topic.PAYMENT_RESULT


class OrderCompleted(Body, frozen=True, kw_only=True):
    """The order is PAID: `total` less `discount` points were spent."""

    type: ClassVar[str] = "order.completed"
    topic: ClassVar[Topic] = Topic.ORDER_COMPLETED

    user_id: Whole
    lines: tuple[OrderLine, ...]
    total: Whole
    discount: Whole = 0


class OrderDataReady(Body, frozen=True, kw_only=True):
    """The sale is counted; the partner is to be told."""

    type: ClassVar[str] = "order-data.ready"
    topic: ClassVar[Topic] = Topic.SEND_ORDER_DATA

    user_id: Whole
    lines: tuple[OrderLine, ...]
    total: Whole
    discount: Whole = 0


class CouponIssued(AnyBody, frozen=True, kw_only=True):
    """A user was given a coupon: the issue is ACCEPTED and counted, and is to become ISSUED (R16)."""

    type: ClassVar[str] = "coupon.issued"
    topic: ClassVar[Topic] = Topic.COUPON_ISSUED

    issue_id: UUID
    coupon_id: Whole
    user_id: Whole

    @property
    def key(self) -> UUID:
        """Return the issue's id."""
        return self.issue_id


BODIES: tuple[type[AnyBody], ...] = (
    OrderCreated, OrderCancelled, PaymentCancelRequested,
    StockReserved, StockRejected, StockReleased, StockCancelled,
    CouponNone, CouponUsed, CouponRejected, CouponReleased, CouponCancelled,
    PaymentRequested, PaymentPaid, PaymentRejected, PaymentCancelled,
    OrderCompleted, OrderDataReady,
    CouponIssued,
)  # fmt: skip
