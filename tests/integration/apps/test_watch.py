from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from doorbuster.contracts.bodies import CouponNone, StockReserved
from doorbuster.contracts.topics import Group, Topic
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.tables import outbox
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.infra.outbox.store import store
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.orders.model import CancelReason, OrderStatus, PlaceOrder, SagaStep, WantedLine
from doorbuster.orders.repository import MySqlOrderRepository, MySqlOrderSource
from doorbuster.orders.service import OrderFlowService, OrderPlacement, OrderQueries
from doorbuster.orders.tables import order_sagas, orders
from doorbuster.orders.watch_repository import MySqlWatchRepository, MySqlWatchSource
from doorbuster.orders.watch_service import WatchBounds, WatchReport, WatchService
from doorbuster.products.repository import MySqlCatalogueRepository
from doorbuster.products.seed import CatalogueSeed

pytestmark = pytest.mark.integration

BUYER = UserId(7)
PARTITION = 0


@dataclass(slots=True)
class Offsets:
    """What groups have committed in partition 0, by group and topic."""

    known: dict[tuple[str, str], int] = field(default_factory=dict)
    reachable: bool = True

    async def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        if not self.reachable:
            raise BrokerUnavailable("gone")
        return {(topic, PARTITION): found for (reader, topic), found in self.known.items() if reader == group}

    def all_passed(self) -> "Offsets":
        self.known = {(group, topic): 1_000 for group in Group for topic in Topic}
        return self


@dataclass(slots=True)
class Place:
    """Orders, and the messages about them."""

    database: Database
    offsets: Offsets = field(default_factory=Offsets)

    async def order(self, *numbers: int) -> None:
        commands = [
            PlaceOrder(
                order_id=OrderId(UUID(int=number)),
                user_id=BUYER,
                lines=(WantedLine(product_id=ProductId(1), quantity=1),),
            )
            for number in numbers
        ]
        async with self.database.transaction() as connection:
            now = await database_time(connection)
            repositories = MySqlOrderRepository(connection), MySqlCatalogueRepository(connection)
            placed = await OrderPlacement().handle(*repositories, commands, now)
            await store(connection, placed.events, now=now, new_id=uuid4)

    async def answer(self, *bodies: StockReserved | CouponNone) -> None:
        async with self.database.transaction() as connection:
            now = await database_time(connection)
            events = await OrderFlowService().handle(MySqlOrderRepository(connection), bodies, now)
            await store(connection, events, now=now, new_id=uuid4)

    async def publish(self) -> None:
        """The relay's work; for the watch all may have the same offset."""
        async with self.database.transaction() as connection:
            now = await database_time(connection)
            statement = update(outbox).values(published_at=now, kafka_partition=PARTITION, kafka_offset=1)
            await connection.execute(statement)

    async def age(self, age: timedelta) -> None:
        async with self.database.transaction() as connection:
            then = await database_time(connection) - age
            await connection.execute(update(order_sagas).values(sent_at=then, created_at=then))
            await connection.execute(update(orders).values(created_at=then))

    def service(self, bounds: WatchBounds | None = None) -> WatchService:
        return WatchService(MySqlWatchSource(self.database, uuid4), self.offsets, bounds=bounds)

    async def look(self) -> WatchReport:
        return await self.service().look()

    async def sent(self) -> list[str]:
        async with self.database.reading() as connection:
            return list((await connection.execute(select(outbox.c.message_type).order_by(outbox.c.seq))).scalars())

    async def status(self, number: int) -> OrderStatus | None:
        queries = OrderQueries(MySqlOrderSource(self.database))
        (order,) = await queries.find([(BUYER, OrderId(UUID(int=number)))])
        return None if order is None else order.status


class Interrupted(MySqlWatchSource):
    """Something happens just before a transaction begins."""

    meanwhile: Callable[[], Awaitable[None]]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MySqlWatchRepository]:
        await self.meanwhile()
        async with super().transaction() as repository:
            yield repository


@pytest.fixture
async def place(database: Database) -> Place:
    async with database.transaction() as connection:
        await CatalogueSeed(count=1, units=100).write(connection, range(1, 2))
    return Place(database=database)


MINUTE = timedelta(minutes=1)


async def test_a_young_saga_is_left_alone(place: Place) -> None:
    await place.order(1)
    place.offsets.all_passed()
    await place.publish()

    report = await place.look()

    assert (report.open_sagas.count, report.queued, report.redriven, report.cancelled) == (1, 0, {}, {})


async def test_an_overdue_saga_whose_message_is_not_published_is_queued(place: Place) -> None:
    await place.order(1)
    await place.age(MINUTE)
    place.offsets.all_passed()

    report = await place.look()

    assert (report.queued, report.redriven) == (1, {})
    assert report.oldest_seconds is not None
    assert 60 <= report.oldest_seconds < 120
    assert await place.sent() == ["order.created"]


async def test_an_overdue_saga_whose_message_is_still_ahead_of_its_groups_is_queued(place: Place) -> None:
    await place.order(1)
    await place.publish()
    await place.age(MINUTE)
    place.offsets.known = {(group, Topic.ORDER_CREATED): 1 for group in (Group.STOCK, Group.COUPON)}

    report = await place.look()

    assert (report.queued, report.redriven) == (1, {})


async def test_a_step_that_was_passed_without_an_answer_is_driven_again(place: Place) -> None:
    await place.order(1)
    await place.publish()
    await place.age(MINUTE)
    place.offsets.all_passed()

    report = await place.look()

    assert report.redriven == {SagaStep.RESERVING: 1}
    assert await place.sent() == ["order.created", "order.created"]
    # It is young again.
    assert (await place.look()).redriven == {}


async def test_the_fourth_time_the_order_is_cancelled(place: Place) -> None:
    await place.order(1)
    place.offsets.all_passed()
    for _ in range(3):
        await place.publish()
        await place.age(MINUTE)
        assert (await place.look()).redriven == {SagaStep.RESERVING: 1}
    await place.publish()
    await place.age(MINUTE)

    assert (await place.look()).cancelled == {CancelReason.LOST: 1}
    assert await place.status(1) is OrderStatus.FAILED
    assert (await place.sent())[-1] == "order.cancelled"


async def test_where_the_groups_are_is_not_known_nothing_is_done_before_the_deadline(place: Place) -> None:
    await place.order(1)
    await place.publish()
    await place.age(MINUTE)
    place.offsets.reachable = False

    report = await place.look()

    assert (report.queued, report.redriven, report.cancelled) == (0, {}, {})


async def test_the_deadline_cancels_also_what_is_queued_and_what_nothing_is_known_of(place: Place) -> None:
    await place.order(1)
    await place.age(timedelta(minutes=16))
    place.offsets.reachable = False

    assert (await place.look()).cancelled == {CancelReason.DEADLINE: 1}
    assert await place.status(1) is OrderStatus.FAILED


async def test_after_the_payment_was_requested_the_deadline_asks_payment_to_cancel(place: Place) -> None:
    await place.order(1)
    await place.answer(StockReserved(order_id=UUID(int=1)), CouponNone(order_id=UUID(int=1)))
    await place.age(timedelta(minutes=16))

    assert (await place.look()).cancelled == {CancelReason.DEADLINE: 1}
    assert await place.status(1) is OrderStatus.PENDING
    assert (await place.sent())[-1] == "payment.cancel-requested"


async def test_cancels_are_limited_in_each_look(place: Place) -> None:
    await place.order(*range(1, 8))
    await place.age(timedelta(minutes=16))
    service = place.service(WatchBounds(page=2, cancels=3))

    reports = [await service.look() for _ in range(3)]

    assert [report.cancelled.get(CancelReason.DEADLINE, 0) for report in reports] == [3, 3, 1]
    assert all(report.complete for report in reports)


async def test_a_look_is_bounded_and_the_next_one_goes_on_behind_it(place: Place) -> None:
    await place.order(*range(1, 8))
    await place.age(MINUTE)
    service = place.service(WatchBounds(page=2, pages=2))

    first, second = await service.look(), await service.look()

    assert (first.queued, first.complete) == (4, False)
    assert (second.queued, second.complete) == (3, True)


async def test_a_saga_that_went_on_between_reading_and_locking_is_left_alone(place: Place) -> None:
    await place.order(1)
    await place.publish()
    await place.age(MINUTE)
    place.offsets.all_passed()
    source = Interrupted(place.database, uuid4)
    source.meanwhile = lambda: place.answer(StockReserved(order_id=UUID(int=1)), CouponNone(order_id=UUID(int=1)))

    report = await WatchService(source, place.offsets).look()

    assert report.redriven == {}
    assert await place.sent() == ["order.created", "payment.requested"]


async def test_failed_orders_that_are_not_compensated_in_time_are_counted(place: Place) -> None:
    await place.order(1, 2)
    await place.age(timedelta(minutes=16))
    await place.look()
    async with place.database.transaction() as connection:
        then: datetime = await database_time(connection) - MINUTE - MINUTE
        await connection.execute(update(orders).where(orders.c.id == UUID(int=1)).values(finished_at=then))

    assert (await place.look()).open_sagas.uncompensated == 1
