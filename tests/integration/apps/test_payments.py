import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import func, select

from doorbuster.contracts.bodies import (
    Body,
    OrderCancelled,
    PaymentCancelled,
    PaymentCancelRequested,
    PaymentPaid,
    PaymentRejected,
    PaymentRequested,
)
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.errors import DataRefused
from doorbuster.kernel.ids import UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.points.model import Charged, ChargePoints
from doorbuster.points.repository import MySqlBalanceSource, MySqlPointRepository
from doorbuster.points.seed import UserSeed
from doorbuster.points.service import BalanceQueries, ChargeService, PaymentService
from doorbuster.points.tables import payments, point_balances, point_entries
from tests.integration.apps.deadlocks import deadlocks

pytestmark = pytest.mark.integration

USERS = range(1, 11)
GRANTED = 1_000


@pytest.fixture
async def funded(database: Database) -> Database:
    """Ten users with 1,000 points each."""
    async with database.transaction() as connection:
        await UserSeed(count=len(USERS), points=GRANTED).write(connection, USERS)
    return database


def request(number: int, *, amount: int = 10, user: int = 1) -> PaymentRequested:
    return PaymentRequested(order_id=UUID(int=number), user_id=user, amount=amount)


def cancel(number: int) -> OrderCancelled:
    return OrderCancelled(order_id=UUID(int=number), reason="deadline")


async def handle(database: Database, *bodies: Body) -> Sequence[Body]:
    async with database.transaction() as connection:
        return await PaymentService().handle(MySqlPointRepository(connection), bodies, await database_time(connection))


async def charge(database: Database, *commands: ChargePoints) -> Sequence[Charged | Refusal]:
    async with database.transaction() as connection:
        return await ChargeService().handle(MySqlPointRepository(connection), commands, await database_time(connection))


async def balances(database: Database) -> dict[UserId, int]:
    return dict(await BalanceQueries(MySqlBalanceSource(database)).find([UserId(number) for number in USERS]))


async def contents(database: Database) -> list[list[tuple[object, ...]]]:
    tables = (payments, point_balances, point_entries)
    async with database.reading() as connection:
        return [
            [tuple(row) for row in await connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables
        ]


async def assert_books_balance(database: Database) -> None:
    """The entries sum to zero, and those of each user to the balance."""
    async with database.reading() as connection:
        entries = point_entries.c
        total = (await connection.execute(select(func.sum(entries.amount)))).scalar_one()
        sums = await connection.execute(select(entries.account, func.sum(entries.amount)).group_by(entries.account))
        by_account = {account: int(amount) for account, amount in sums}
    assert total == 0
    assert {f"user:{user}": balance for user, balance in (await balances(database)).items()} == {
        account: amount for account, amount in by_account.items() if account.startswith("user:")
    }


async def test_orders_are_paid_until_the_points_are_gone(funded: Database) -> None:
    answers = await handle(funded, request(1, amount=600), request(2, amount=600), request(3, amount=400))

    assert list(answers) == [
        PaymentPaid(order_id=UUID(int=1)),
        PaymentRejected(order_id=UUID(int=2), reason="insufficient-points"),
        PaymentPaid(order_id=UUID(int=3)),
    ]
    assert (await balances(funded))[UserId(1)] == 0
    await assert_books_balance(funded)


async def test_a_cancel_restores_the_points_once(funded: Database) -> None:
    await handle(funded, request(1, amount=600))

    for _ in range(2):
        assert list(await handle(funded, cancel(1))) == [PaymentCancelled(order_id=UUID(int=1))]
    assert (await balances(funded))[UserId(1)] == GRANTED
    await assert_books_balance(funded)


async def test_a_cancel_before_its_payment_leaves_a_tombstone(funded: Database) -> None:
    await handle(funded, cancel(1))

    assert list(await handle(funded, request(1))) == [PaymentCancelled(order_id=UUID(int=1))]
    assert (await balances(funded))[UserId(1)] == GRANTED


async def test_after_the_payment_a_request_to_cancel_is_answered_with_paid(funded: Database) -> None:
    await handle(funded, request(1))

    asked = PaymentCancelRequested(order_id=UUID(int=1), reason="deadline")
    assert list(await handle(funded, asked)) == [PaymentPaid(order_id=UUID(int=1))]


async def test_a_replay_leaves_the_tables_as_they_are(funded: Database) -> None:
    bodies: list[Body] = [request(number, user=number % 10 + 1, amount=300) for number in range(1, 61)]
    bodies += [cancel(number) for number in range(1, 61, 7)]
    await handle(funded, *bodies)
    before = await contents(funded)

    await handle(funded, *bodies)

    assert await contents(funded) == before


async def test_payments_cancels_and_charges_at_once_neither_deadlock_nor_lose(funded: Database) -> None:
    # Every batch touches every user, in another direction.
    numbers = range(1, 201)
    requests = [[request(number, user=number % 10 + 1) for number in numbers[start::3]] for start in range(3)]
    cancels = [[cancel(number) for number in reversed(numbers[start::3])] for start in range(3)]
    charges = [
        [ChargePoints(transaction_id=UUID(int=1_000 * part + user), user_id=UserId(user), amount=7) for user in USERS]
        for part in (1, 2)
    ]
    before = deadlocks()

    await asyncio.gather(
        *(handle(funded, *batch) for batch in requests),
        *(handle(funded, *batch) for batch in cancels),
        *(charge(funded, *batch) for batch in charges),
    )

    assert await balances(funded) == {UserId(user): GRANTED + 2 * 7 for user in USERS}
    await assert_books_balance(funded)
    assert deadlocks() == before


async def test_charges_are_added_and_answered_with_the_balance_after_them(funded: Database) -> None:
    commands = [
        ChargePoints(transaction_id=UUID(int=number), user_id=UserId(1), amount=number) for number in (100, 200)
    ]
    unknown = ChargePoints(transaction_id=UUID(int=5), user_id=UserId(99), amount=5)

    outcomes = await charge(funded, *commands, unknown)

    assert [outcome.balance if isinstance(outcome, Charged) else outcome.code for outcome in outcomes] == [
        1_100, 1_300, "unknown-user",
    ]  # fmt: skip
    await assert_books_balance(funded)


async def test_the_database_refuses_a_negative_balance_whatever_the_code_says(funded: Database) -> None:
    with pytest.raises(DataRefused, match="3819"):
        async with funded.transaction() as connection:
            await rows.change(connection, point_balances.c.balance, before={1: GRANTED}, after={1: -1})

    assert (await balances(funded))[UserId(1)] == GRANTED
