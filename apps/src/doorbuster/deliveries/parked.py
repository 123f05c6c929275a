"""Parked deliveries, for a person: which ones there are, and how they become due again (R11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.deliveries.model import DeliveryStatus
from doorbuster.deliveries.tables import deliveries
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedDelivery:
    """A delivery that nobody tries any more; the field names are those of the job's answer.

    Attributes:
        attempts: how many there were.
        last_error: what went wrong in the last one.
        created_at: when the order's data was ready.
    """

    order_id: OrderId
    attempts: int
    last_error: str | None
    created_at: datetime


async def find_parked(connection: AsyncConnection, *, most: int) -> Sequence[ParkedDelivery]:
    """Return parked deliveries, those first that were tried first, and so many at most."""
    columns = deliveries.c.order_id, deliveries.c.attempts, deliveries.c.last_error, deliveries.c.created_at
    found = await connection.execute(
        select(*columns).where(deliveries.c.status == DeliveryStatus.PARKED).order_by(deliveries.c.due_at).limit(most)
    )
    return [
        ParkedDelivery(
            order_id=OrderId(row.order_id),
            attempts=row.attempts,
            last_error=row.last_error,
            created_at=row.created_at,
        )
        for row in found
    ]


async def make_due_again(connection: AsyncConnection, order_ids: Sequence[OrderId]) -> int:
    """Make those of these deliveries due that are parked, as if they had never been tried; return how many."""
    changed = await connection.execute(
        update(deliveries)
        .where(deliveries.c.order_id.in_(sorted(order_ids)), deliveries.c.status == DeliveryStatus.PARKED)
        .values(status=DeliveryStatus.DUE, attempts=0, due_at=await database_time(connection))
    )
    return changed.rowcount
