"""The bodies of requests and answers about cancels and streams of orders, as the OpenAPI document shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from doorbuster.api.schemas import Command, OrderDocument


class CancelOrderRequest(Command):
    """Nothing: the path says which order."""


class OrderToCancel(Command):
    """What a cancel's key stands for: one order, which is in the path and not in the body."""

    order_id: UUID


class CancellationDocument(BaseModel):
    """What became of a cancel.

    `FAILED`: the order is given up, and what was reserved for it comes back. `PENDING`: the payment is under way, and
    only its answer decides; the order becomes `FAILED` or `PAID`.
    """

    id: UUID
    order_id: UUID
    status: Literal["PENDING", "FAILED"]
    failure_reason: str | None


class OrderEventDocument(OrderDocument):
    """An order as it is now, in a stream; `compensated_at` is null until all of a FAILED order is undone."""

    compensated_at: datetime | None
