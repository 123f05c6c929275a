import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import select

from doorbuster.contracts.bodies import Body, OrderCompleted, OrderDataReady, OrderLine
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.products.repository import MySqlSalesRepository
from doorbuster.products.service import SalesService
from doorbuster.products.tables import product_sales
from tests.integration.apps.deadlocks import deadlocks

pytestmark = pytest.mark.integration

PRODUCTS = (1, 2, 3)


def completed(number: int) -> OrderCompleted:
    """Two units of each product."""
    lines = tuple(OrderLine(product_id=product, quantity=2, unit_price=5) for product in PRODUCTS)
    return OrderCompleted(order_id=UUID(int=number), user_id=1, lines=lines, total=30)


async def handle(database: Database, *bodies: Body) -> Sequence[Body]:
    async with database.transaction() as connection:
        return await SalesService().handle(MySqlSalesRepository(connection), bodies, await database_time(connection))


async def sales(database: Database) -> dict[int, tuple[int, int]]:
    async with database.reading() as connection:
        return {row.product_id: (row.units, row.orders) for row in await connection.execute(select(product_sales))}


async def test_a_sale_is_counted_once_however_often_it_is_told(database: Database) -> None:
    ready = [OrderDataReady(order_id=UUID(int=1), user_id=1, lines=completed(1).lines, total=30)]

    assert list(await handle(database, completed(1), completed(1))) == ready
    assert list(await handle(database, completed(1))) == ready
    assert await sales(database) == dict.fromkeys(PRODUCTS, (2, 1))


async def test_the_same_orders_at_once_are_counted_once_without_a_deadlock(database: Database) -> None:
    numbers = range(1, 101)
    batches = [[completed(number) for number in numbers[:60]], [completed(number) for number in reversed(numbers)]]
    batches += [[completed(number) for number in numbers[start::3]] for start in range(3)]
    before = deadlocks()

    await asyncio.gather(*(handle(database, *batch) for batch in batches))

    assert await sales(database) == dict.fromkeys(PRODUCTS, (200, 100))
    assert deadlocks() == before
