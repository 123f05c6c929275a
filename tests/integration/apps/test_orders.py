import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import select

from doorbuster.contracts.bodies import (
    Body,
    CouponNone,
    CouponReleased,
    OrderCancelled,
    OrderCompleted,
    PaymentCancelled,
    PaymentPaid,
    PaymentRequested,
    StockRejected,
    StockReleased,
    StockReserved,
)
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.errors import PoisonMessage
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.model import Order, OrderStatus, PlaceOrder, WantedLine
from doorbuster.orders.repository import MySqlOrderRepository, MySqlOrderSource
from doorbuster.orders.service import OrderFlowService, OrderPlacement, OrderQueries, Placed
from doorbuster.orders.tables import order_sagas
from doorbuster.products.repository import MySqlCatalogueRepository
from doorbuster.products.seed import SCARCE, CatalogueSeed
from tests.integration.apps.deadlocks import deadlocks

pytestmark = pytest.mark.integration

BUYER = UserId(7)


@pytest.fixture
async def shop(database: Database) -> Database:
    """Five products."""
    async with database.transaction() as connection:
        await CatalogueSeed(count=5, units=100).write(connection, range(1, 6))
    return database


def order_id(number: int) -> OrderId:
    return OrderId(UUID(int=number))


def wanted(number: int, *, product: int = SCARCE, quantity: int = 2, user: UserId = BUYER) -> PlaceOrder:
    lines = (WantedLine(product_id=ProductId(product), quantity=quantity),)
    return PlaceOrder(order_id=order_id(number), user_id=user, lines=lines)


async def place(database: Database, *commands: PlaceOrder) -> Placed:
    async with database.transaction() as connection:
        return await OrderPlacement().handle(
            MySqlOrderRepository(connection),
            MySqlCatalogueRepository(connection),
            commands,
            await database_time(connection),
        )


async def handle(database: Database, *bodies: Body) -> Sequence[Body]:
    async with database.transaction() as connection:
        return await OrderFlowService().handle(
            MySqlOrderRepository(connection), bodies, await database_time(connection)
        )


async def found(database: Database, number: int, *, user: UserId = BUYER) -> Order | None:
    (order,) = await OrderQueries(MySqlOrderSource(database)).find([(user, order_id(number))])
    return order


async def steps(database: Database) -> list[tuple[str, int]]:
    async with database.reading() as connection:
        rows = await connection.execute(select(order_sagas).order_by(order_sagas.c.order_id))
        return [(row.step, row.open) for row in rows]


async def test_an_accepted_order_is_stored_with_the_catalogues_prices(shop: Database) -> None:
    placed = await place(shop, wanted(1), wanted(2, product=99))

    order, refusal = placed.outcomes
    assert isinstance(order, Order)
    assert isinstance(refusal, Refusal)
    assert (order.total, refusal.code) == (200, "unknown-product")
    assert list(placed.events) == [order.created()]
    assert await found(shop, 1) == order
    assert await found(shop, 2) is None
    assert await steps(shop) == [("RESERVING", 1)]


async def test_an_order_goes_from_reserved_to_paid(shop: Database) -> None:
    (order,) = (await place(shop, wanted(1))).outcomes
    assert isinstance(order, Order)

    assert await handle(shop, CouponNone(order_id=order.id)) == []
    assert await handle(shop, StockReserved(order_id=order.id)) == [
        PaymentRequested(order_id=order.id, user_id=BUYER, amount=200)
    ]
    assert await handle(shop, PaymentPaid(order_id=order.id)) == [
        OrderCompleted(order_id=order.id, user_id=BUYER, lines=order.lines, total=200)
    ]
    paid = await found(shop, 1)
    assert paid is not None
    assert paid.finished_at is not None
    assert paid.status is OrderStatus.PAID
    assert await steps(shop) == [("DONE", 0)]


async def test_a_refused_order_is_failed_at_once_and_compensated_when_all_have_answered(shop: Database) -> None:
    await place(shop, wanted(1))

    rejected = StockRejected(order_id=order_id(1), reason="out-of-stock", product_id=SCARCE)
    assert await handle(shop, rejected) == [OrderCancelled(order_id=order_id(1), reason="out-of-stock")]
    failed = await found(shop, 1)
    assert failed is not None
    assert (failed.status, failed.failure_reason, failed.compensated_at) == (OrderStatus.FAILED, "out-of-stock", None)

    await handle(
        shop,
        StockReleased(order_id=order_id(1)),
        CouponReleased(order_id=order_id(1)),
        PaymentCancelled(order_id=order_id(1)),
    )
    compensated = await found(shop, 1)
    assert compensated is not None
    assert compensated.compensated_at is not None
    assert await steps(shop) == [("COMPENSATED", 0)]


async def test_a_replay_leaves_orders_and_sagas_as_they_are(shop: Database) -> None:
    await place(shop, wanted(1))
    answers = [StockReserved(order_id=order_id(1)), CouponNone(order_id=order_id(1))]
    await handle(shop, *answers)
    before = await found(shop, 1), await steps(shop)

    assert await handle(shop, *answers) == []
    assert (await found(shop, 1), await steps(shop)) == before


async def test_an_answer_about_an_order_that_does_not_exist_is_poison(shop: Database) -> None:
    await place(shop, wanted(1))

    with pytest.raises(PoisonMessage, match="1 answered orders don't exist"):
        await handle(shop, StockReserved(order_id=order_id(1)), StockReserved(order_id=order_id(2)))
    assert await steps(shop) == [("RESERVING", 1)]


async def test_answers_of_all_participants_at_once_neither_deadlock_nor_get_lost(shop: Database) -> None:
    numbers = range(1, 101)
    await place(shop, *(wanted(number, user=UserId(number)) for number in numbers))
    batches: list[list[Body]] = [[StockReserved(order_id=order_id(number)) for number in numbers[:50]]]
    batches += [[StockReserved(order_id=order_id(number)) for number in reversed(numbers[50:])]]
    batches += [[CouponNone(order_id=order_id(number)) for number in reversed(numbers)]]
    before = deadlocks()

    sent = [event for events in await asyncio.gather(*(handle(shop, *batch) for batch in batches)) for event in events]

    assert sorted(event.order_id for event in sent) == [order_id(number) for number in numbers]
    assert await steps(shop) == [("PAYING", 1)] * 100
    assert deadlocks() == before


async def test_another_users_order_is_not_found(shop: Database) -> None:
    await place(shop, wanted(1))

    assert await found(shop, 1, user=UserId(8)) is None


async def test_own_orders_are_listed_newest_first_behind_a_cursor(shop: Database) -> None:
    await place(shop, *(wanted(number) for number in range(1, 6)), wanted(9, user=UserId(8)))
    queries = OrderQueries(MySqlOrderSource(shop))

    first = await queries.page(BUYER, limit=3)
    second = await queries.page(BUYER, before=first[-1].id, limit=3)

    assert [order.id.int for order in first] == [5, 4, 3]
    assert [order.id.int for order in second] == [2, 1]


async def test_a_page_has_at_most_a_hundred_orders(shop: Database) -> None:
    await place(shop, *(wanted(number) for number in range(1, 105)))

    assert len(await OrderQueries(MySqlOrderSource(shop)).page(BUYER, limit=500)) == 100
