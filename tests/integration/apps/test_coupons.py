import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import select

from doorbuster.contracts.bodies import (
    Body,
    CouponCancelled,
    CouponNone,
    CouponRejected,
    CouponReleased,
    OrderCancelled,
    OrderCreated,
    OrderLine,
)
from doorbuster.coupons.repository import MySqlRedemptionRepository
from doorbuster.coupons.service import CouponService
from doorbuster.coupons.tables import coupon_redemptions
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from tests.integration.apps.conflicts import conflicts

pytestmark = pytest.mark.integration


def order(number: int, *, coupon: int | None = None) -> OrderCreated:
    lines = (OrderLine(product_id=1, quantity=1, unit_price=5),)
    return OrderCreated(order_id=UUID(int=number), user_id=1, lines=lines, total=5, coupon_id=coupon)


def cancel(number: int) -> OrderCancelled:
    return OrderCancelled(order_id=UUID(int=number), reason="deadline")


async def handle(database: Database, *bodies: Body) -> Sequence[Body]:
    async with database.transaction() as connection:
        repository = MySqlRedemptionRepository(connection)
        return await CouponService().handle(repository, bodies, await database_time(connection))


async def test_every_order_is_answered_and_a_repeat_gets_the_same_answer(database: Database) -> None:
    bodies = [order(1), order(2, coupon=7)]
    expected = [CouponNone(order_id=UUID(int=1)), CouponRejected(order_id=UUID(int=2), reason="unknown-coupon")]

    assert list(await handle(database, *bodies)) == expected
    assert list(await handle(database, *bodies)) == expected


async def test_a_cancel_before_its_order_leaves_a_tombstone(database: Database) -> None:
    assert list(await handle(database, cancel(1))) == [CouponReleased(order_id=UUID(int=1))]
    assert list(await handle(database, order(1))) == [CouponCancelled(order_id=UUID(int=1))]


async def test_orders_and_their_cancels_at_once_neither_deadlock_nor_lose(database: Database) -> None:
    numbers = range(1, 101)
    batches: list[list[Body]] = [[order(number) for number in numbers[start::2]] for start in range(2)]
    batches += [[cancel(number) for number in reversed(numbers[start::2])] for start in range(2)]
    before = conflicts()

    await asyncio.gather(*(handle(database, *batch) for batch in batches))

    async with database.reading() as connection:
        states = list((await connection.execute(select(coupon_redemptions.c.status))).scalars())
    assert len(states) == len(numbers)
    assert set(states) <= {"RELEASED", "CANCELLED"}
    assert conflicts() == before
