import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import null, select

from doorbuster.contracts.bodies import (
    Body,
    OrderCancelled,
    OrderCreated,
    OrderLine,
    StockCancelled,
    StockRejected,
    StockReleased,
    StockReserved,
)
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.errors import DataRefused
from doorbuster.products.repository import MySqlStockRepository
from doorbuster.products.service import StockService
from doorbuster.products.tables import stock, stock_reservations
from tests.integration.apps.deadlocks import deadlocks

pytestmark = pytest.mark.integration

SUPPLIED = 100


@pytest.fixture
async def stocked(database: Database) -> Database:
    """Ten products with 100 units each."""
    async with database.transaction() as connection:
        units = [{"product_id": number, "supplied": SUPPLIED, "available": SUPPLIED} for number in range(1, 11)]
        await rows.add(connection, stock, units)
    return database


def order(number: int, *, units: int = 1, product: int = 1) -> OrderCreated:
    lines = (OrderLine(product_id=product, quantity=units, unit_price=5),)
    return OrderCreated(order_id=UUID(int=number), user_id=1, lines=lines, total=5 * units)


def cancel(number: int) -> OrderCancelled:
    return OrderCancelled(order_id=UUID(int=number), reason="deadline")


async def handle(database: Database, *bodies: Body) -> Sequence[Body]:
    async with database.transaction() as connection:
        return await StockService().handle(MySqlStockRepository(connection), bodies, await database_time(connection))


async def available(database: Database) -> dict[int, int]:
    async with database.reading() as connection:
        return {row.product_id: row.available for row in await connection.execute(select(stock))}


async def test_orders_are_reserved_until_the_units_are_gone(stocked: Database) -> None:
    answers = await handle(stocked, order(1, units=60), order(2, units=60), order(3, units=40))

    assert list(answers) == [
        StockReserved(order_id=UUID(int=1)),
        StockRejected(order_id=UUID(int=2), reason="out-of-stock", product_id=1),
        StockReserved(order_id=UUID(int=3)),
    ]
    assert (await available(stocked))[1] == 0


async def test_a_product_without_stock_is_refused(stocked: Database) -> None:
    (answer,) = await handle(stocked, order(1, product=77))

    assert answer == StockRejected(order_id=UUID(int=1), reason="unknown-product", product_id=77)


async def test_a_cancel_gives_back_what_the_row_kept(stocked: Database) -> None:
    await handle(stocked, order(1, units=30))

    assert list(await handle(stocked, cancel(1))) == [StockReleased(order_id=UUID(int=1))]
    assert (await available(stocked))[1] == SUPPLIED


async def test_a_cancel_before_its_order_leaves_a_tombstone(stocked: Database) -> None:
    await handle(stocked, cancel(1))

    assert list(await handle(stocked, order(1))) == [StockCancelled(order_id=UUID(int=1))]
    assert (await available(stocked))[1] == SUPPLIED


async def test_what_is_not_known_is_null_and_not_the_json_value_of_that_name(stocked: Database) -> None:
    await handle(stocked, cancel(1), order(2))

    async with stocked.reading() as connection:
        unknown = await connection.execute(
            select(stock_reservations.c.order_id).where(stock_reservations.c.lines.is_(null()))
        )
        assert list(unknown.scalars()) == [UUID(int=1)]


async def test_a_repeated_order_changes_nothing_and_is_answered_again(stocked: Database) -> None:
    async def contents() -> list[tuple[object, ...]]:
        async with stocked.reading() as connection:
            found = await connection.execute(select(stock_reservations).order_by(stock_reservations.c.order_id))
            return [tuple(row) for row in found]

    bodies = [order(number, units=30) for number in range(1, 6)]
    first = list(await handle(stocked, *bodies))
    before = await contents(), await available(stocked)

    assert list(await handle(stocked, *bodies)) == first
    assert (await contents(), await available(stocked)) == before


async def test_two_groups_of_messages_about_the_same_orders_at_once_neither_deadlock_nor_lose(
    stocked: Database,
) -> None:
    # Orders and their cancels come in different topics: two consumers hold messages of the same orders.
    starts = range(1, 151, 50)
    batches: list[list[Body]] = [
        [order(number, product=number % 10 + 1) for number in range(start, start + 50)] for start in starts
    ]
    batches += [[cancel(number) for number in reversed(range(start, start + 50))] for start in starts]
    before = deadlocks()

    await asyncio.gather(*(handle(stocked, *batch) for batch in batches))

    async with stocked.reading() as connection:
        states = set((await connection.execute(select(stock_reservations.c.status))).scalars())
    assert states <= {"RELEASED", "CANCELLED"}
    assert await available(stocked) == dict.fromkeys(range(1, 11), SUPPLIED)
    assert deadlocks() == before


async def test_many_batches_at_once_never_sell_more_than_there_is(stocked: Database) -> None:
    # Each order has one unit of two products, in both directions, so that the order of locks matters.
    def wanted(number: int) -> OrderCreated:
        pair = (1, 2) if number % 2 else (2, 1)
        lines = tuple(OrderLine(product_id=product, quantity=1, unit_price=5) for product in pair)
        return OrderCreated(order_id=UUID(int=number), user_id=1, lines=lines, total=10)

    numbers = range(1, 241)
    batches = [[wanted(number) for number in numbers[start::6]] for start in range(6)]
    before = deadlocks()

    answers = [
        each for those in await asyncio.gather(*(handle(stocked, *batch) for batch in batches)) for each in those
    ]

    assert sum(isinstance(answer, StockReserved) for answer in answers) == SUPPLIED
    assert {product: left for product, left in (await available(stocked)).items() if left != SUPPLIED} == {1: 0, 2: 0}
    assert deadlocks() == before


async def test_the_database_refuses_a_negative_stock_whatever_the_code_says(stocked: Database) -> None:
    with pytest.raises(DataRefused, match="3819"):
        async with stocked.transaction() as connection:
            await rows.change(connection, stock.c.available, before={1: SUPPLIED}, after={1: -1})

    assert (await available(stocked))[1] == SUPPLIED


async def test_a_change_of_rows_that_went_on_meanwhile_is_not_made(stocked: Database) -> None:
    with pytest.raises(rows.RowsChangedMeanwhile, match="1 of 2 rows of stock"):
        async with stocked.transaction() as connection:
            await rows.change(connection, stock.c.available, before={1: SUPPLIED, 2: 7}, after={1: 50, 2: 6})

    assert (await available(stocked))[1] == SUPPLIED


async def statements_for(database: Database, bodies: Sequence[Body]) -> int:
    async def asked_so_far() -> int:
        return int((await connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Questions'")).one().Value)

    async with database.transaction() as connection:
        now = await database_time(connection)
        before = await asked_so_far()
        await StockService().handle(MySqlStockRepository(connection), bodies, now)
        # One of them is the question itself.
        return await asked_so_far() - before - 1


async def test_the_number_of_statements_does_not_grow_with_the_batch(stocked: Database) -> None:
    one = await statements_for(stocked, [order(1)])
    many = await statements_for(stocked, [order(number, product=number % 10 + 1) for number in range(2, 402)])

    assert (one, many) == (5, 5)
