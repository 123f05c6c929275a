"""A delivery to the partner and what becomes of it after each attempt. Pure (R11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from doorbuster.contracts.bodies import Body, OrderDataReady
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import OrderId

# A table's column holds no more of what the partner said.
LONGEST_ERROR = 200


class DeliveryStatus(StrEnum):
    """DUE until the partner has it; PARKED after too many attempts, until a person looks."""

    DUE = "DUE"
    DELIVERED = "DELIVERED"
    PARKED = "PARKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """How hard to try.

    Attributes:
        attempts: after so many failures the delivery is parked.
        first_pause: before the second attempt; doubles with each further one.
        longest_pause: the pauses' upper end.
        lease: so long a sender may hold a row before another one takes it; more than an attempt can last.
    """

    attempts: int = 12
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(minutes=5)
    lease: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One order's row.

    Attributes:
        attempts: how many have begun.
        due_at: when the next one may begin.
    """

    order_id: OrderId
    status: DeliveryStatus
    payload: Mapping[str, object]
    attempts: int
    due_at: datetime
    last_error: str | None = None
    delivered_at: datetime | None = None


def due(bodies: Sequence[Body], now: datetime) -> list[Delivery]:
    """Return a delivery for each order whose data is ready; for an order that comes twice, one.

    Raises:
        UnknownMessage: a body that the external-data group doesn't read.
    """
    ready = {body.order_id: _ready(body) for body in bodies}
    return [
        Delivery(order_id=OrderId(order_id), status=DeliveryStatus.DUE, payload=_payload(body), attempts=0, due_at=now)
        for order_id, body in sorted(ready.items())
    ]


def _ready(body: Body) -> OrderDataReady:
    if not isinstance(body, OrderDataReady):
        raise UnknownMessage(f"the external-data group doesn't read {body.type}")
    return body


def _payload(body: OrderDataReady) -> dict[str, object]:
    lines = [
        {"product_id": line.product_id, "quantity": line.quantity, "unit_price": line.unit_price} for line in body.lines
    ]
    return {
        "order_id": str(body.order_id),
        "user_id": body.user_id,
        "total": body.total,
        "discount": body.discount,
        "lines": lines,
    }


def settle(delivery: Delivery, error: str | None, now: datetime, policy: DeliveryPolicy) -> Delivery:
    """Return the delivery after an attempt.

    Args:
        delivery: as it was claimed, with this attempt counted.
        error: what went wrong; None means that the partner has it.
        now: by the database's clock.
        policy: how hard to try.
    """
    if error is None:
        return replace(delivery, status=DeliveryStatus.DELIVERED, delivered_at=now, last_error=None)
    if delivery.attempts >= policy.attempts:
        return replace(delivery, status=DeliveryStatus.PARKED, last_error=error[:LONGEST_ERROR])
    pause = min(policy.first_pause * 2 ** (delivery.attempts - 1), policy.longest_pause)
    return replace(delivery, due_at=now + pause, last_error=error[:LONGEST_ERROR])
