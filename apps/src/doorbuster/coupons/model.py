"""The coupon group's decisions: one redemption an order, also for orders without a coupon (R14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from doorbuster.contracts.bodies import (
    Body,
    CouponCancelled,
    CouponNone,
    CouponRejected,
    CouponReleased,
    OrderCancelled,
    OrderCreated,
    PaymentCancelRequested,
)
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import OrderId


class RedemptionStatus(StrEnum):
    """Where the coupon group stands with an order."""

    NEW = "NEW"
    """A placeholder: nothing is decided."""
    NONE = "NONE"
    """The order has no coupon."""
    REJECTED = "REJECTED"
    RELEASED = "RELEASED"
    """Was NONE, and the order was cancelled."""
    CANCELLED = "CANCELLED"
    """The tombstone of a cancel that came before its order."""


class CouponRefusal(StrEnum):
    """Why an order's coupon can't be used."""

    UNKNOWN_COUPON = "unknown-coupon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """The coupon group's one row of an order.

    Attributes:
        coupon_id: the order's coupon; None without one, and while the order hasn't come.
        reason: None unless REJECTED.
    """

    order_id: OrderId
    status: RedemptionStatus
    updated_at: datetime
    coupon_id: int | None = None
    reason: CouponRefusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponState:
    """What a batch needs of the database, locked: the redemption of every order in it; placeholders are NEW."""

    redemptions: Mapping[OrderId, Redemption]


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponDecision:
    """What a batch changes.

    Attributes:
        redemptions: the rows that changed, with their new values, each order once.
        events: in the order of the bodies that they answer.
    """

    redemptions: tuple[Redemption, ...]
    events: tuple[Body, ...]


def decide(state: CouponState, bodies: Sequence[Body], now: datetime) -> CouponDecision:
    """Return what the bodies change and the answers to them.

    Raises:
        UnknownMessage: a body that the coupon group doesn't read.
    """
    redemptions = dict(state.redemptions)
    events: list[Body] = []
    for body in bodies:
        order_id = OrderId(body.order_id)
        match body:
            case OrderCreated():
                redemptions[order_id] = _created(redemptions[order_id], body, now)
                events.append(_answer_to_order(redemptions[order_id]))
            case OrderCancelled():
                redemptions[order_id] = _cancelled(redemptions[order_id], now)
                events.append(CouponReleased(order_id=order_id))
            case PaymentCancelRequested():
                pass
            case _:
                raise UnknownMessage(f"the coupon group doesn't read {body.type}")
    changed = tuple(row for key, row in redemptions.items() if row != state.redemptions[key])
    return CouponDecision(redemptions=changed, events=tuple(events))


def _created(redemption: Redemption, order: OrderCreated, now: datetime) -> Redemption:
    if redemption.status is not RedemptionStatus.NEW:
        return redemption
    if order.coupon_id is None:
        return replace(redemption, status=RedemptionStatus.NONE, updated_at=now)
    return replace(
        redemption,
        status=RedemptionStatus.REJECTED,
        coupon_id=order.coupon_id,
        reason=CouponRefusal.UNKNOWN_COUPON,
        updated_at=now,
    )


def _cancelled(redemption: Redemption, now: datetime) -> Redemption:
    match redemption.status:
        case RedemptionStatus.NEW:
            return replace(redemption, status=RedemptionStatus.CANCELLED, updated_at=now)
        case RedemptionStatus.NONE:
            return replace(redemption, status=RedemptionStatus.RELEASED, updated_at=now)
        case _:
            return redemption


def _answer_to_order(redemption: Redemption) -> Body:
    order_id = redemption.order_id
    match redemption.status:
        case RedemptionStatus.NONE:
            return CouponNone(order_id=order_id)
        case RedemptionStatus.REJECTED:
            return CouponRejected(order_id=order_id, reason=redemption.reason or "")
        case RedemptionStatus.RELEASED:
            return CouponReleased(order_id=order_id)
        case _:
            return CouponCancelled(order_id=order_id)
