"""What the watch reads and writes in MySQL: open sagas, and the messages about them in the outbox."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.bodies import Body
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.tables import outbox
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.infra.outbox.store import message_key, store
from doorbuster.kernel.ids import OrderId
from doorbuster.orders.model import OrderStatus, Saga
from doorbuster.orders.ports import OpenSagas, Position, Published
from doorbuster.orders.repository import MySqlOrderRepository, sagas_of
from doorbuster.orders.tables import order_sagas, orders


class MySqlWatchRepository(MySqlOrderRepository):
    """Sagas and the messages about them, on one connection; `lock`, `save` and `send` inside one transaction."""

    def __init__(self, connection: AsyncConnection, new_id: Callable[[], UUID]) -> None:
        """Work on this connection; `new_id` makes the ids of the messages that are sent."""
        super().__init__(connection)
        self._new_id = new_id

    async def now(self) -> datetime:
        """Return the time by the database's clock."""
        return await database_time(self._connection)

    async def overview(self, now: datetime, compensation: timedelta) -> OpenSagas:
        """Return how the open sagas stand; `compensation` is the time that a FAILED order has for it."""
        late = (orders.c.status == OrderStatus.FAILED) & (orders.c.finished_at < now - compensation)
        statement = (
            select(func.count(), func.min(order_sagas.c.created_at), func.coalesce(func.sum(late), 0))
            .select_from(order_sagas.join(orders, orders.c.id == order_sagas.c.order_id))
            .where(order_sagas.c.open == 1)
        )
        count, oldest, uncompensated = (await self._connection.execute(statement)).one()
        return OpenSagas(count=count, oldest=oldest, uncompensated=int(uncompensated))

    async def overdue(self, sent_until: datetime, *, behind: Position | None, limit: int) -> Sequence[Saga]:
        """Return open sagas whose step was sent at `sent_until` or before, oldest step first, without locks."""
        sent_at, order_id = order_sagas.c.sent_at, order_sagas.c.order_id
        statement = select(order_sagas).where(order_sagas.c.open == 1, sent_at <= sent_until)
        if behind is not None:
            further = or_(sent_at > behind.sent_at, order_id > behind.order_id)
            # The first condition says it again in a form that the index can use.
            statement = statement.where(sent_at >= behind.sent_at, further)
        found = (await self._connection.execute(statement.order_by(sent_at, order_id).limit(limit))).all()
        of_orders = await rows.find(self._connection, orders, [row.order_id for row in found])
        return list(sagas_of(of_orders, found).values())

    async def newest_messages(self, order_ids: Collection[OrderId]) -> Mapping[tuple[OrderId, str], Published]:
        """Return the newest message of each order and type that is in the outbox."""
        order_by_key = {message_key(order_id): order_id for order_id in order_ids}
        columns = outbox.c
        found = await self._connection.execute(
            select(
                columns.seq,
                columns.message_key,
                columns.message_type,
                columns.topic,
                columns.kafka_partition,
                columns.kafka_offset,
            )
            # A dead letter repeats the key of what it was, but it's nothing that a group reads.
            .where(columns.message_key.in_(sorted(order_by_key)), columns.topic.not_like("%.dlt"))
            .order_by(columns.seq)
        )
        return {
            (order_by_key[bytes(row.message_key)], row.message_type): Published(
                seq=row.seq, topic=row.topic, partition=row.kafka_partition, offset=row.kafka_offset
            )
            for row in found
        }

    async def send(self, events: Sequence[Body], now: datetime) -> None:
        """Store events to be sent, as the transaction's last act."""
        await store(self._connection, events, now=now, new_id=self._new_id)


class MySqlWatchSource:
    """Opens connections for the watch."""

    def __init__(self, database: Database, new_id: Callable[[], UUID]) -> None:
        """Use the applications' database; `new_id` makes the ids of the messages that are sent."""
        self._database = database
        self._new_id = new_id

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[MySqlWatchRepository]:
        """Read on the primary, without a transaction."""
        async with self._database.reading() as connection:
            yield MySqlWatchRepository(connection, self._new_id)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MySqlWatchRepository]:
        """Open one transaction."""
        async with self._database.transaction() as connection:
            yield MySqlWatchRepository(connection, self._new_id)
