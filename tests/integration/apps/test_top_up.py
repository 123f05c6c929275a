"""The top-up for a rehearsal on real tables: its users can buy, its stock is right, whoever else is at work."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from doorbuster.audit.model import Invariant
from doorbuster.bootstrap.audit import Auditor
from doorbuster.bootstrap.top_up import NotARehearsal, ToppedUp, TopUp, top_up
from doorbuster.contracts.bodies import OrderCreated, OrderLine
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import ProductId, UserId
from doorbuster.points.seed import UserSeed
from doorbuster.products.repository import MySqlStockRepository
from doorbuster.products.restock import ProductsMissing
from doorbuster.products.seed import CatalogueSeed
from doorbuster.products.service import StockService
from doorbuster.settings import AuditSettings, AuthSettings, IssuerSettings, Settings
from tests.audit import breaches
from tests.integration.apps.books import Books
from tests.integration.apps.deadlocks import deadlocks
from tests.integration.apps.platform import Platform
from tests.integration.apps.processes import SOURCES
from tests.integration.apps.storefront import ISSUER
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

SEEDED_USERS = 3
SEEDED_PRODUCTS = 6
SEEDED_UNITS = 10
ISSUERS = (IssuerSettings(issuer=ISSUER, jwks_url="http://127.0.0.1/jwks"),)
WANTED = TopUp(users=5, points=700, first_product=ProductId(3), products=4, units=50, hot_units=7)
JOB_SECONDS = 60
WAIT_SECONDS = 20
RESTOCKS_UNDER_WAY = "SELECT COUNT(*) FROM performance_schema.processlist WHERE info LIKE 'UPDATE stock%'"
UNITS_LEFT = "SELECT product_id, supplied, available FROM stock ORDER BY product_id"


@pytest.fixture
async def shop(database: Database) -> Database:
    """Three users and six products, the second one scarce."""
    async with database.transaction() as connection:
        seed = CatalogueSeed(count=SEEDED_PRODUCTS, units=SEEDED_UNITS)
        await seed.write(connection, range(1, SEEDED_PRODUCTS + 1))
        await UserSeed(count=SEEDED_USERS, points=1).write(connection, range(1, SEEDED_USERS + 1))
    return database


@pytest.fixture
def allowed(empty_tables: Settings) -> Settings:
    """Settings by which the API would believe the development issuer."""
    return empty_tables.model_copy(update={"auth": AuthSettings(issuers=ISSUERS)})


async def sell(database: Database, numbers: Sequence[int], *, product: int) -> None:
    """Reserve one unit for each of the orders."""
    lines = (OrderLine(product_id=product, quantity=1, unit_price=5),)
    orders = [OrderCreated(order_id=UUID(int=number), user_id=1, lines=lines, total=5) for number in numbers]
    async with database.transaction() as connection:
        now = await database_time(connection)
        await StockService().handle(MySqlStockRepository(connection), orders, now)


async def products_that_do_not_add_up(database: Database) -> set[str]:
    """Return the products of which units were lost or sold twice."""
    report = await Auditor(database, AuditSettings()).scan()
    return {breach.shown_id for breach in report.shown(Invariant.STOCK)}


async def test_it_says_what_it_made(shop: Database, allowed: Settings, books: Books) -> None:
    assert await top_up(allowed, WANTED) == ToppedUp(
        first_user=UserId(4), users=5, first_product=ProductId(3), products=4, hot_product=ProductId(7), hot_units=7
    )
    assert books.ask("SELECT user_id, balance FROM point_balances WHERE user_id > 3") == [
        f"{user}\t700" for user in range(4, 9)
    ]
    # 1 and 2 aren't asked for.
    assert [line.split("\t")[2] for line in books.ask(UNITS_LEFT)] == ["10", "5", "50", "50", "50", "50", "7"]
    assert books.ask("SELECT name, price FROM products WHERE id = 7") == ["doorbuster-hot-7\t100"]
    assert breaches(books.ask) == {}


async def test_each_run_makes_other_users_and_another_hot_product(
    shop: Database, allowed: Settings, books: Books
) -> None:
    first = await top_up(allowed, WANTED)
    second = await top_up(allowed, WANTED)

    assert (second.first_user, second.hot_product) == (first.first_user + 5, 8)
    assert books.number("SELECT COUNT(*) FROM point_balances") == SEEDED_USERS + 10
    assert breaches(books.ask) == {}


async def test_runs_at_once_never_share_users_or_hot_products(shop: Database, allowed: Settings, books: Books) -> None:
    # Of different sizes: the last users differ, and only the first ones meet.
    plans = [replace(WANTED, users=users) for users in (1, 2, 5, 9)]
    before = deadlocks()

    made = await asyncio.gather(*(top_up(allowed, plan) for plan in plans))

    users = [user for each in made for user in range(each.first_user, each.first_user + each.users)]
    assert sorted(users) == list(range(4, 4 + 1 + 2 + 5 + 9))
    assert sorted(each.hot_product or 0 for each in made) == [7, 8, 9, 10]
    assert breaches(books.ask) == {}
    assert deadlocks() == before


async def test_more_users_than_a_transaction_holds_are_all_there(
    shop: Database, allowed: Settings, books: Books
) -> None:
    await top_up(allowed, replace(WANTED, users=1_500))

    new = "FROM point_balances WHERE user_id > 3"
    assert books.ask(f"SELECT COUNT(*), MIN(user_id), MAX(user_id), SUM(balance) {new}") == [
        f"1500\t4\t1503\t{1_500 * 700}"
    ]
    assert breaches(books.ask) == {}


async def test_stock_grows_by_what_is_missing_and_what_was_sold_stays_sold(
    shop: Database, allowed: Settings, books: Books
) -> None:
    await sell(shop, range(1, 5), product=3)

    await top_up(allowed, replace(WANTED, first_product=ProductId(3), products=2, units=8))

    # Four of ten were sold of the third, so two are supplied; the fourth has more than eight.
    assert books.ask(UNITS_LEFT)[2:4] == ["3\t12\t8", "4\t10\t10"]
    assert await products_that_do_not_add_up(shop) == set()


async def test_a_sale_that_has_the_stock_is_waited_for_and_not_lost(
    shop: Database, allowed: Settings, books: Books
) -> None:
    lines = (OrderLine(product_id=4, quantity=9, unit_price=5),)
    order = OrderCreated(order_id=UUID(int=1), user_id=1, lines=lines, total=45)
    async with shop.transaction() as connection:
        now = await database_time(connection)
        await StockService().handle(MySqlStockRepository(connection), [order], now)
        restocking = asyncio.create_task(top_up(allowed, WANTED))
        await asyncio.to_thread(until_restock_is_under_way, books)
    await restocking

    # It had 10, sold 9, and needs 49 more to have 50.
    assert books.ask(UNITS_LEFT)[3] == "4\t59\t50"
    assert await products_that_do_not_add_up(shop) == set()


async def test_many_sales_and_top_ups_at_once_neither_deadlock_nor_lose(
    shop: Database, allowed: Settings, books: Books
) -> None:
    numbers = range(1, 401)
    sales = [sell(shop, numbers[start::10], product=3 + start % 4) for start in range(10)]
    plans = [replace(WANTED, units=units, hot_units=0) for units in (60, 120, 300, 90)]
    before = deadlocks()

    await asyncio.gather(*sales[:5], *(top_up(allowed, plan) for plan in plans), *sales[5:])

    assert await products_that_do_not_add_up(shop) == set()
    # Each of the four had ten units from the beginning.
    assert books.number("SELECT SUM(supplied - available) FROM stock") >= 4 * SEEDED_UNITS
    assert deadlocks() == before


async def test_without_hot_units_there_is_no_new_product(shop: Database, allowed: Settings, books: Books) -> None:
    made = await top_up(allowed, replace(WANTED, hot_units=0))

    assert (made.hot_product, made.hot_units) == (None, 0)
    assert books.number("SELECT COUNT(*) FROM products") == SEEDED_PRODUCTS


async def test_products_that_do_not_exist_are_left_out(shop: Database, allowed: Settings) -> None:
    assert (await top_up(allowed, replace(WANTED, products=100_000))).products == 4


@pytest.mark.parametrize(
    ("gone", "first", "reason"),
    [
        (0, 7, "none of the products 7 to 10 exists"),
        (4, 3, "of the products 3 to 6 only 3 exist"),
        (3, 3, "of the products 3 to 6 only 3 exist"),
    ],
)
async def test_a_range_that_does_not_exist_is_refused_and_nothing_is_written(
    shop: Database, allowed: Settings, books: Books, gone: int, first: int, reason: str
) -> None:
    async with shop.transaction() as connection:
        await connection.exec_driver_sql(f"DELETE FROM stock WHERE product_id = {gone}")

    with pytest.raises(ProductsMissing, match=reason):
        await top_up(allowed, replace(WANTED, first_product=ProductId(first)))
    assert books.number("SELECT COUNT(*) FROM point_balances") == SEEDED_USERS
    assert books.number("SELECT MAX(available) FROM stock") == SEEDED_UNITS


async def test_where_the_development_issuer_is_not_believed_nothing_is_given_away(
    shop: Database, empty_tables: Settings, books: Books
) -> None:
    with pytest.raises(NotARehearsal):
        await top_up(empty_tables, WANTED)
    assert books.number("SELECT COUNT(*) FROM point_balances") == SEEDED_USERS


def test_new_users_buy_until_exactly_the_hot_units_are_sold(platform: Platform, books: Books) -> None:
    made = run_job(platform, "--users=4", "--points=1000", "--products=10", "--units=2000", "--hot-units=3")
    hot = made["hot_product"]
    buyers = [platform.buyer(user) for user in range(made["first_user"], made["first_user"] + made["users"])]

    answers = [(buyer, buyer.buy("hot", (hot, 1))) for buyer in buyers]

    # The last one is told at once if the stock group has sold the three by then, or else fails.
    told = [answer.json()["code"] for _, answer in answers if answer.status_code == 409]
    ends = [buyer.final(answer.json()["id"]) for buyer, answer in answers if answer.status_code == 202]
    failed = [end["failure_reason"] for end in ends if end["status"] == "FAILED"]
    assert [*told, *failed] in (["sold-out"], ["out-of-stock"])
    assert len(ends) == 4 - len(told)
    assert sorted(buyer.points() for buyer in buyers) == [900, 900, 900, 1000]
    assert books.ask(f"SELECT supplied, available FROM stock WHERE product_id = {hot}") == ["3\t0"]
    books.until_quiet()
    assert breaches(books.ask) == {}


def until_restock_is_under_way(books: Books) -> None:
    """Return when a statement that fills up stock has begun and hasn't ended."""
    seconds_until(lambda: books.number(RESTOCKS_UNDER_WAY) > 0, within_seconds=WAIT_SECONDS, what="a restock")


def run_job(platform: Platform, *arguments: str) -> dict[str, int]:
    """Run the job as a process in the environment of the API; return the one line that it prints."""
    issuers = json.dumps([issuer.model_dump() for issuer in ISSUERS])
    environment = {
        **os.environ,
        **platform.environment,
        "DOORBUSTER_AUTH__ISSUERS": issuers,
        "PYTHONPATH": str(SOURCES),
    }
    argv = [sys.executable, "-m", "doorbuster.jobs.top_up", *arguments]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=JOB_SECONDS, check=False)
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    document: dict[str, int] = json.loads(line)
    return document
