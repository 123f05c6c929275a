"""The deliveries' rows in MySQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.deliveries.model import Delivery, DeliveryPolicy, DeliveryStatus
from doorbuster.deliveries.tables import deliveries
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import OrderId


class MySqlDeliveryRepository:
    """The rows, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on an open transaction."""
        self._connection = connection

    async def now(self) -> datetime:
        """Return the time by the database's clock."""
        return await database_time(self._connection)

    async def add(self, rows: Sequence[Delivery], now: datetime) -> None:
        """Insert those whose order has no row yet."""
        if rows:
            statement = insert(deliveries).on_duplicate_key_update(order_id=deliveries.c.order_id)
            await self._connection.execute(statement, [_values(row, now) for row in rows])

    async def claim(self, limit: int, policy: DeliveryPolicy, *, now: datetime) -> Sequence[Delivery]:
        """Return due rows that nobody else holds, with their attempt counted and their due time a lease ahead."""
        found = await self._connection.execute(
            select(deliveries)
            .where(deliveries.c.status == DeliveryStatus.DUE, deliveries.c.due_at <= now)
            .order_by(deliveries.c.due_at)
            .limit(limit)
            # Rows that another sender claims at this moment are none of our business.
            .with_for_update(skip_locked=True)
        )
        claimed = [_delivery(row, until=now + policy.lease) for row in found]
        if claimed:
            await self._connection.execute(
                update(deliveries)
                .where(deliveries.c.order_id.in_([row.order_id for row in claimed]))
                .values(attempts=deliveries.c.attempts + 1, due_at=now + policy.lease)
            )
        return claimed

    async def settle(self, rows: Sequence[Delivery]) -> None:
        """Write what became of attempts, but only where the row is still as it was claimed."""
        statement = (
            update(deliveries)
            .where(
                deliveries.c.order_id == bindparam("key"),
                deliveries.c.status == DeliveryStatus.DUE,
                deliveries.c.attempts == bindparam("attempt"),
            )
            .values(
                status=bindparam("new_status"),
                due_at=bindparam("new_due_at"),
                last_error=bindparam("new_error"),
                delivered_at=bindparam("new_delivered_at"),
            )
        )
        await self._connection.execute(statement, [_settled(row) for row in sorted(rows, key=lambda row: row.order_id)])

    async def count_due(self, now: datetime) -> int:
        """Return how many rows are due at this time."""
        due = deliveries.c.status == DeliveryStatus.DUE, deliveries.c.due_at <= now
        count: int = (
            await self._connection.execute(select(func.count()).select_from(deliveries).where(*due))
        ).scalar_one()
        return count


class MySqlDeliveries:
    """Opens transactions on the rows."""

    def __init__(self, database: Database) -> None:
        """Use the applications' database."""
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MySqlDeliveryRepository]:
        """Yield the rows inside one transaction; raises what a Database's does."""
        async with self._database.transaction() as connection:
            yield MySqlDeliveryRepository(connection)


def _values(row: Delivery, now: datetime) -> dict[str, Any]:  # columns of several types
    return {
        "order_id": row.order_id,
        "status": row.status,
        "payload": dict(row.payload),
        "attempts": row.attempts,
        "due_at": row.due_at,
        "created_at": now,
    }


def _settled(row: Delivery) -> dict[str, Any]:  # columns of several types
    return {
        "key": row.order_id,
        "attempt": row.attempts,
        "new_status": row.status,
        "new_due_at": row.due_at,
        "new_error": row.last_error,
        "new_delivered_at": row.delivered_at,
    }


def _delivery(row: Row[Any], *, until: datetime) -> Delivery:
    return Delivery(
        order_id=OrderId(row.order_id),
        status=DeliveryStatus(row.status),
        payload=row.payload,
        attempts=row.attempts + 1,
        due_at=until,
        last_error=row.last_error,
    )
