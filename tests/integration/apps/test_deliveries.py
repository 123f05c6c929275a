"""Senders beside each other and beside the consumer that leaves them rows: each order is delivered, nobody stops."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import func, select

from doorbuster.bootstrap.parked_deliveries import ParkedDeliveries
from doorbuster.contracts.bodies import OrderDataReady
from doorbuster.deliveries.model import DeliveryPolicy, DeliveryStatus
from doorbuster.deliveries.repository import MySqlDeliveries
from doorbuster.deliveries.service import DeliveryService, Sender, SenderPolicy
from doorbuster.deliveries.tables import deliveries
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import OrderId
from tests.integration.apps.deadlocks import deadlocks

ORDERS = 300
PER_BATCH = 20

pytestmark = pytest.mark.integration


class CountingPartner:
    """Takes everything, and counts."""

    def __init__(self) -> None:
        self.received: Counter[OrderId] = Counter()

    async def deliver(self, order_id: OrderId, payload: Mapping[str, object]) -> str | None:
        self.received[order_id] += 1
        return None


class Nobody:
    """Wants to know nothing."""

    def due(self, count: int) -> None:
        pass

    def attempted(self, outcome: DeliveryStatus) -> None:
        pass


async def leave(database: Database, first: int) -> None:
    bodies = [
        OrderDataReady(order_id=UUID(int=number), user_id=1, lines=(), total=1)
        for number in range(first, first + PER_BATCH)
    ]
    async with MySqlDeliveries(database).transaction() as repository, database.reading() as connection:
        await DeliveryService().handle(repository, bodies, await database_time(connection))


async def work(sender: Sender, left: asyncio.Event) -> None:
    while await sender.round() or not left.is_set():
        pass


async def delivered(database: Database) -> int:
    async with database.reading() as connection:
        statement = select(func.count()).where(deliveries.c.status == DeliveryStatus.DELIVERED)
        return int((await connection.execute(statement)).scalar_one())


async def test_senders_and_the_consumer_at_once_neither_deadlock_nor_lose_nor_repeat(database: Database) -> None:
    before = deadlocks()
    partner = CountingPartner()
    senders = [
        Sender(deliveries=MySqlDeliveries(database), partner=partner, clock=lambda: 0.0, observer=Nobody())
        for _ in range(4)
    ]
    left = asyncio.Event()
    working = [asyncio.create_task(work(sender, left)) for sender in senders]
    # The second half repeats the first: rows that are there, and perhaps in a sender's hands.
    for first in [*range(0, ORDERS, PER_BATCH)] * 2:
        await leave(database, first)
    left.set()
    await asyncio.gather(*working)
    assert partner.received == Counter({OrderId(UUID(int=number)): 1 for number in range(ORDERS)})
    assert await delivered(database) == ORDERS
    assert deadlocks() == before


class BusyPartner:
    """Takes nothing."""

    async def deliver(self, order_id: OrderId, payload: Mapping[str, object]) -> str | None:
        return "503"


async def test_parked_deliveries_are_listed_and_delivered_when_a_person_has_them_tried_again(
    database: Database,
) -> None:
    parked, policy = ParkedDeliveries(database), SenderPolicy(delivery=DeliveryPolicy(attempts=1))
    await leave(database, 0)
    # A round takes 16 at once and opens the breaker; another sender has its own.
    for _ in range(2):
        busy = Sender(
            deliveries=MySqlDeliveries(database),
            partner=BusyPartner(),
            clock=lambda: 0.0,
            observer=Nobody(),
            policy=policy,
        )
        await busy.round()
    listed = await parked.first(100)

    assert {each.order_id for each in listed} == {OrderId(UUID(int=number)) for number in range(PER_BATCH)}
    assert {(each.attempts, each.last_error) for each in listed} == {(1, "503")}
    assert await parked.retry([listed[0].order_id]) == 1
    assert await parked.retry([listed[0].order_id]) == 0
    assert await parked.retry(None) == PER_BATCH - 1

    partner, left = CountingPartner(), asyncio.Event()
    left.set()
    await work(
        Sender(deliveries=MySqlDeliveries(database), partner=partner, clock=lambda: 0.0, observer=Nobody()), left
    )
    assert set(partner.received.values()) == {1}
    assert len(partner.received) == await delivered(database) == PER_BATCH
    assert await parked.first(100) == []
