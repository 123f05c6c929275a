"""Carts and checkouts on real tables: changed at once, ordered once, and the statements that it costs."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import func, select

from doorbuster.api.answers import order_answer
from doorbuster.bootstrap.buying import cart_step, checkout_step
from doorbuster.carts.model import Cart, CartCommand, CartLine, CheckOut, PutLine, RemoveLine
from doorbuster.carts.repository import MySqlCartSource
from doorbuster.carts.seed import CartSeed, seeded_lines
from doorbuster.carts.service import CartQueries
from doorbuster.carts.tables import carts
from doorbuster.infra.batches.answers import Answer, Outcome, Refused
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.idempotent_batches import IdempotentBatches
from doorbuster.infra.batches.repeatable_commands import RepeatableCommands
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.seeding import seed
from doorbuster.infra.mysql.transactions import Transactions, database_time
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.tables import order_sagas, orders
from doorbuster.products.tables import products
from tests.integration.apps.batch_steps import outbox_rows
from tests.integration.apps.counted_statements import CountedStatements
from tests.integration.apps.deadlocks import deadlocks

pytestmark = pytest.mark.integration

PRODUCTS = 20
BUYER = UserId(7)
# The time, products, carts made where there were none, carts locked, carts written.
STATEMENTS_OF_A_CHANGE = 5
# The time, keys and their rows, carts, prices, orders, sagas, carts written, answers, events.
STATEMENTS_OF_A_CHECKOUT = 10


@pytest.fixture
async def shop(database: Database) -> Database:
    """Twenty products, the price of each ten times its number."""
    async with database.transaction() as connection:
        lamps = [{"id": n, "name": "Lamp", "price": 10 * n, "version": 1} for n in range(1, PRODUCTS + 1)]
        await rows.add(connection, products, lamps)
    return database


def put(product: int, quantity: int = 1, user: UserId = BUYER) -> PutLine:
    return PutLine(user_id=user, product_id=ProductId(product), quantity=quantity)


def line(product: int, quantity: int = 1) -> CartLine:
    return CartLine(product_id=ProductId(product), quantity=quantity)


async def change(database: Transactions, *commands: CartCommand) -> Sequence[Cart | Refusal]:
    async with database.transaction() as connection:
        return await cart_step()(connection, commands, await database_time(connection))


async def lines(database: Database, user: UserId = BUYER) -> tuple[CartLine, ...]:
    found = await CartQueries(MySqlCartSource(database)).find([user])
    return found[user].lines if user in found else ()


def checkout(number: int, user: UserId = BUYER, *, key: int | None = None) -> Keyed[CheckOut]:
    return Keyed(
        key_id=(key or number).to_bytes(32, "big"),
        body_hash=bytes(32),
        body_bytes=2,
        attempt=UUID(int=number),
        command=CheckOut(order_id=OrderId(UUID(int=number)), user_id=user),
    )


async def check_out(database: Transactions, *batch: Keyed[CheckOut]) -> Sequence[Outcome | DoorbusterError]:
    return await IdempotentBatches(database, checkout_step(order_answer, lambda: True), uuid4).run(batch)


def codes(outcomes: Sequence[Outcome | DoorbusterError]) -> list[tuple[int, str | None]]:
    return [
        (each.status, msgspec.json.decode(each.body).get("code"))
        for each in outcomes
        if isinstance(each, Answer | Refused)
    ]


async def count(database: Database, table: Any) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def test_a_cart_is_kept_in_the_order_in_which_it_was_filled(shop: Database) -> None:
    await change(shop, put(9, 2), put(3))
    await change(shop, put(5), put(9, 4))

    assert await lines(shop) == (line(9, 4), line(3), line(5))

    await change(shop, RemoveLine(user_id=BUYER, product_id=ProductId(3)))
    assert await lines(shop) == (line(9, 4), line(5))


async def test_what_is_refused_changes_nothing(shop: Database) -> None:
    outcomes = await change(shop, put(9), put(999))

    assert isinstance(outcomes[1], Refusal)
    assert await lines(shop) == (line(9),)


async def test_changes_of_one_cart_at_once_are_all_in_it(shop: Database) -> None:
    before = deadlocks()

    await asyncio.gather(*(change(shop, put(product, product)) for product in range(1, PRODUCTS + 1)))

    assert set(await lines(shop)) == {line(product, product) for product in range(1, PRODUCTS + 1)}
    assert deadlocks() == before


async def test_batches_over_the_same_carts_neither_deadlock_nor_lose(shop: Database) -> None:
    users = [UserId(number) for number in range(1, 51)]
    batches = [[put(product, product, user) for user in users] for product in range(1, 11)]
    batches = [batch if number % 2 else list(reversed(batch)) for number, batch in enumerate(batches)]
    # Some carts are only looked at for a removal, in another order again.
    removals = [RemoveLine(user_id=user, product_id=ProductId(20)) for user in reversed(users)]
    before = deadlocks()

    await asyncio.gather(*(change(shop, *batch) for batch in batches), change(shop, *removals, *batches[0]))

    for user in users:
        assert set(await lines(shop, user)) == {line(product, product) for product in range(1, 11)}
    assert deadlocks() == before


async def test_commands_of_many_buyers_are_one_transaction(shop: Database) -> None:
    running = RepeatableCommands(shop, cart_step(), name="test", deadline_seconds=5, rows_of=lambda _: 2)

    outcomes = await asyncio.gather(*(running.run(put(3, 2, UserId(user)), user=user) for user in range(1, 101)))

    assert all(isinstance(outcome, Cart) and outcome.lines == (line(3, 2),) for outcome in outcomes)
    await running.drain()


async def test_a_checkout_makes_an_order_as_an_order_without_a_cart_is_made(shop: Database) -> None:
    await change(shop, put(9, 2), put(3))

    (outcome,) = await check_out(shop, checkout(1))

    assert codes([outcome]) == [(202, None)]
    assert await lines(shop) == ()
    async with shop.reading() as connection:
        (order,) = (await connection.execute(select(orders))).all()
        (saga,) = (await connection.execute(select(order_sagas))).all()
    assert (order.id, order.user_id, order.total, order.status) == (UUID(int=1), BUYER, 210, "PENDING")
    assert (saga.order_id, saga.step) == (order.id, "RESERVING")
    assert [(row.topic, row.message_type) for row in await outbox_rows(shop)] == [("order-created", "order.created")]


async def test_a_repeat_is_answered_with_the_same_order_also_when_the_cart_is_full_again(shop: Database) -> None:
    await change(shop, put(9))
    (first,) = await check_out(shop, checkout(1, key=5))
    await change(shop, put(3))

    (again,) = await check_out(shop, checkout(2, key=5))

    assert again == first
    assert (await lines(shop), await count(shop, orders)) == ((line(3),), 1)


async def test_two_checkouts_of_one_batch_are_one_order(shop: Database) -> None:
    await change(shop, put(9))

    assert codes(await check_out(shop, checkout(1), checkout(2))) == [(202, None), (409, "cart-empty")]
    assert await count(shop, orders) == 1


async def test_two_checkouts_at_once_are_one_order(shop: Database) -> None:
    await change(shop, put(9))
    before = deadlocks()

    first, second = await asyncio.gather(check_out(shop, checkout(1)), check_out(shop, checkout(2)))

    assert sorted([*codes(first), *codes(second)], key=str) == [(202, None), (409, "cart-empty")]
    assert await count(shop, orders) == 1
    assert deadlocks() == before


async def test_many_processes_that_check_out_the_same_carts_order_each_once(shop: Database) -> None:
    users = [UserId(number) for number in range(1, 31)]
    await change(shop, *(put(3, user=user) for user in users))
    batches = [[checkout(1_000 * part + user, user) for user in users] for part in range(4)]
    before = deadlocks()

    outcomes = await asyncio.gather(
        *(check_out(shop, *(batch if part % 2 else reversed(batch))) for part, batch in enumerate(batches))
    )

    accepted = [each for batch in outcomes for each in codes(batch) if each == (202, None)]
    assert (len(accepted), await count(shop, orders)) == (len(users), len(users))
    assert sorted({code for batch in outcomes for code in codes(batch)}, key=str) == [(202, None), (409, "cart-empty")]
    assert deadlocks() == before


async def test_changes_and_checkouts_at_once_put_each_line_in_one_order_or_leave_it(shop: Database) -> None:
    before = deadlocks()

    await asyncio.gather(
        *(change(shop, put(product)) for product in range(1, PRODUCTS + 1)),
        *(check_out(shop, checkout(number)) for number in range(1, 9)),
    )

    async with shop.reading() as connection:
        ordered = [
            each["product_id"] for (found,) in await connection.execute(select(orders.c.lines)) for each in found
        ]
    left = [each.product_id for each in await lines(shop)]
    assert sorted(ordered + left) == list(range(1, PRODUCTS + 1))
    assert deadlocks() == before


async def test_a_product_that_vanished_is_named_and_the_cart_stays(shop: Database) -> None:
    await change(shop, put(9), put(3))
    async with shop.transaction() as connection:
        await connection.execute(products.delete().where(products.c.id == 3))

    (outcome,) = await check_out(shop, checkout(1))

    assert isinstance(outcome, Refused)
    assert outcome.status == 422
    assert msgspec.json.decode(outcome.body)["errors"][0]["field"] == "lines[1].product_id"
    assert (await lines(shop), await count(shop, orders)) == ((line(9), line(3)), 0)
    # The key is free again: nothing was done under it.
    await change(shop, RemoveLine(user_id=BUYER, product_id=ProductId(3)))
    assert codes(await check_out(shop, checkout(1))) == [(202, None)]


async def test_the_work_for_a_batch_is_the_same_for_two_carts_and_for_two_hundred(shop: Database) -> None:
    for users in (range(1, 3), range(101, 301)):
        counted = CountedStatements(shop)
        await change(counted, *(put(3, user=UserId(user)) for user in users))
        await check_out(counted, *(checkout(user, UserId(user)) for user in users))

        assert counted.statements == [STATEMENTS_OF_A_CHANGE, STATEMENTS_OF_A_CHECKOUT]
    assert await count(shop, orders) == 202


async def test_seeded_carts_are_written_once_and_those_of_buyers_stay(shop: Database) -> None:
    await change(shop, put(9, 3, UserId(2)))
    wanted = CartSeed(count=4_500, products=PRODUCTS)

    assert [await seed(shop, wanted), await seed(shop, wanted)] == [4_499, 0]
    assert await lines(shop, UserId(2)) == (line(9, 3),)
    assert await lines(shop, UserId(4_500)) == seeded_lines(4_500, PRODUCTS)
    async with shop.reading() as connection:
        newest = (await connection.execute(select(func.max(carts.c.updated_at)))).scalar_one()
    assert newest <= datetime.now(UTC)
