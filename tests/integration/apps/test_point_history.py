"""The history of points: pages that follow each other, and add up to the balance."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from doorbuster.contracts.bodies import OrderCancelled, PaymentRequested
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import UserId
from doorbuster.points.history import EntryPosition
from doorbuster.points.model import ChargePoints, Entry, EntryKind
from doorbuster.points.repository import MySqlBalanceSource, MySqlPointRepository
from doorbuster.points.seed import UserSeed
from doorbuster.points.service import BalanceQueries, ChargeService, EntryQueries, PaymentService
from doorbuster.points.tables import point_entries

pytestmark = pytest.mark.integration

USER, OTHER = UserId(1), UserId(2)


@pytest.fixture
async def busy(database: Database) -> Database:
    """Two users with grants, charges, payments, and some of them given back, many in one moment each."""
    async with database.transaction() as connection:
        await UserSeed(count=2, points=1_000).write(connection, range(1, 3))
    for part in range(3):
        async with database.transaction() as connection:
            repository, now = MySqlPointRepository(connection), await database_time(connection)
            charges = [
                ChargePoints(transaction_id=UUID(int=100 * part + n + 1), user_id=user, amount=n + 1)
                for n, user in enumerate([USER, OTHER] * 10)
            ]
            await ChargeService().handle(repository, charges, now)
        async with database.transaction() as connection:
            repository, now = MySqlPointRepository(connection), await database_time(connection)
            ids = [UUID(int=10_000 + 100 * part + number) for number in range(10)]
            paid = [PaymentRequested(order_id=order_id, user_id=USER, amount=3) for order_id in ids]
            back = [OrderCancelled(order_id=order_id, reason="x") for order_id in ids[:4]]
            await PaymentService().handle(repository, [*paid, *back], now)
    return database


async def walk(database: Database, user: UserId, *, limit: int) -> list[Entry]:
    """All entries, page by page as a client turns them."""
    queries, found, before = EntryQueries(MySqlBalanceSource(database)), list[Entry](), None
    while True:
        page: Sequence[Entry] = await queries.page(user, before=before, limit=limit)
        found += page
        if len(page) < limit:
            return found
        before = EntryPosition.parse(str(EntryPosition.of(page[-1])))


@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_the_pages_add_up_to_the_balance(busy: Database, limit: int) -> None:
    for user in (USER, OTHER):
        entries = await walk(busy, user, limit=limit)

        balances = await BalanceQueries(MySqlBalanceSource(busy)).find([user])
        assert sum(entry.amount for entry in entries) == balances[user]
        assert len({(entry.transaction_id, entry.kind) for entry in entries}) == len(entries)
        assert {entry.account for entry in entries} == {f"user:{user}"}
        times = [entry.created_at for entry in entries]
        assert times == sorted(times, reverse=True)


async def test_the_history_says_what_every_entry_was_for(busy: Database) -> None:
    entries = await walk(busy, USER, limit=100)

    kinds = [entry.kind for entry in entries]
    assert {kind: kinds.count(kind) for kind in EntryKind} == {
        EntryKind.GRANT: 1, EntryKind.CHARGE: 30, EntryKind.SPEND: 30, EntryKind.RESTORE: 12,
    }  # fmt: skip
    assert {entry.amount for entry in entries if entry.kind is EntryKind.SPEND} == {-3}


async def test_a_page_has_at_most_a_hundred_entries(database: Database) -> None:
    async with database.transaction() as connection:
        now = await database_time(connection)
        charges = [
            {
                "transaction_id": UUID(int=number),
                "kind": "charge",
                "account": f"user:{USER}",
                "amount": 1,
                "created_at": now + timedelta(seconds=number),
            }
            for number in range(1, 150)
        ]
        await rows.add(connection, point_entries, charges)

    page = await EntryQueries(MySqlBalanceSource(database)).page(USER, limit=500)

    assert [entry.transaction_id.int for entry in page] == list(range(149, 49, -1))


async def test_a_page_is_read_by_the_index_without_sorting(busy: Database) -> None:
    explained = text(
        "EXPLAIN FORMAT=TREE SELECT * FROM point_entries WHERE account = 'user:1' AND created_at <= NOW(6)"
        " AND (created_at < NOW(6) OR transaction_id < UNHEX(REPEAT('7F', 16)))"
        " ORDER BY created_at DESC, transaction_id DESC, kind DESC LIMIT 20"
    )
    async with busy.reading() as connection:
        plan: str = (await connection.execute(explained)).scalar_one()

    assert "ix_point_entries_account_created_at_transaction_id_kind_amount" in plan
    assert "Sort" not in plan


async def test_a_user_without_entries_has_an_empty_history(database: Database) -> None:
    assert await walk(database, UserId(99), limit=10) == []
