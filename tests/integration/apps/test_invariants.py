"""The invariants on real tables: they hold at every moment of an order, and each breach is seen."""

import asyncio
import math
import re
from collections import deque
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from doorbuster.bootstrap.consumers import CONSUMERS
from doorbuster.bootstrap.invariants import INVARIANTS, PAGE_ROWS, Invariant, Rule, read_page
from doorbuster.bootstrap.shop_watch import ShopWatch
from doorbuster.contracts.bodies import AnyBody
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.infra.outbox.store import store
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.orders.model import PlaceOrder, WantedLine
from doorbuster.orders.repository import MySqlOrderRepository
from doorbuster.orders.service import OrderPlacement
from doorbuster.points.seed import UserSeed
from doorbuster.products.repository import MySqlCatalogueRepository
from doorbuster.products.seed import CatalogueSeed
from doorbuster.products.tables import stock
from doorbuster.settings import Settings
from tests.integration.apps.processes import Application, environment_of, running
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

UNITS = 10
POINTS = 1_000_000
# Order, product, units: one that is paid, one for more than there is, one for more than its buyer can pay.
BOUGHT = (1, 1, 2)
TOO_MANY = (2, 2, UNITS + 1)
TOO_DEAR = (3, 3, 1)
POOR = UserId(2)


@pytest.fixture
async def shop(database: Database) -> Database:
    async with database.transaction() as connection:
        await CatalogueSeed(count=3, units=UNITS).write(connection, range(1, 4))
        await UserSeed(count=1, points=POINTS).write(connection, range(1, 2))
        await UserSeed(count=2, points=1).write(connection, range(2, 3))
    return database


@pytest.fixture
async def sold(shop: Database) -> Database:
    await deliver(shop, await place(shop))
    return shop


async def place(database: Database) -> Sequence[AnyBody]:
    async with database.transaction() as connection:
        now = await database_time(connection)
        repositories = MySqlOrderRepository(connection), MySqlCatalogueRepository(connection)
        commands = [
            PlaceOrder(
                order_id=OrderId(UUID(int=number)),
                user_id=POOR if (number, product, units) == TOO_DEAR else UserId(1),
                lines=(WantedLine(product_id=ProductId(product), quantity=units),),
            )
            for number, product, units in (BOUGHT, TOO_MANY, TOO_DEAR)
        ]
        placed = await OrderPlacement().handle(*repositories, commands, now)
        await store(connection, placed.events, now=now, new_id=uuid4)
        return placed.events


async def deliver(database: Database, events: Sequence[AnyBody], *, checked: bool = False) -> None:
    """Hand each event to the groups that read it, one transaction each, until there are none; check between them."""
    waiting = deque[AnyBody](events)
    while waiting:
        event = waiting.popleft()
        for consumer in CONSUMERS.values():
            if event.topic in consumer.topics:
                async with database.transaction() as connection:
                    waiting += await consumer.step(connection, [event], await database_time(connection))
                if checked:
                    assert await broken(database) == {}, f"after {consumer.group} with {event.type}"


async def broken(database: Database) -> dict[Rule, int]:
    async with database.reading() as connection:
        pages = {rule: await read_page(connection, each, each.newest) for rule, each in INVARIANTS.items()}
    return {rule: page.broken for rule, page in pages.items() if page.broken}


async def change(database: Database, statement: str) -> None:
    async with database.transaction() as connection:
        changed = await connection.execute(text(statement))
        assert changed.rowcount == 1


def shown(rule: Rule) -> float:
    return REGISTRY.get_sample_value("invariant_breaches", {"rule": rule.value}) or 0.0


async def test_all_hold_after_each_step_of_orders_that_are_paid_refused_and_compensated(shop: Database) -> None:
    await deliver(shop, await place(shop), checked=True)

    async with shop.reading() as connection:
        found = await connection.execute(text("SELECT status, failure_reason FROM orders ORDER BY id"))
    assert [tuple(row) for row in found] == [
        ("PAID", None), ("FAILED", "out-of-stock"), ("FAILED", "insufficient-points")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (
            "UPDATE stock SET available = supplied + 1 WHERE product_id = 3",
            {Rule.STOCK_WITHIN_SUPPLY, Rule.RESERVED_UNITS_LEFT_STOCK},
        ),
        ("UPDATE stock SET available = available - 1 WHERE product_id = 3", {Rule.RESERVED_UNITS_LEFT_STOCK}),
        ("UPDATE stock SET available = available + 1 WHERE product_id = 1", {Rule.RESERVED_UNITS_LEFT_STOCK}),
        (
            "UPDATE point_entries SET amount = amount + 1 WHERE account = 'system:sales'",
            {Rule.ENTRIES_SUM_TO_ZERO},
        ),
        ("UPDATE point_balances SET balance = balance + 1 WHERE user_id = 1", {Rule.BALANCE_IS_SUM_OF_ENTRIES}),
        ("DELETE FROM point_balances WHERE user_id = 1", set()),
        ("UPDATE payments SET status = 'REFUNDED' WHERE status = 'PAID'", {Rule.ORDER_AGREES_WITH_PAYMENT}),
        ("UPDATE payments SET amount = amount - 1 WHERE status = 'PAID'", {Rule.ORDER_AGREES_WITH_PAYMENT}),
        ("DELETE FROM payments WHERE status = 'PAID'", {Rule.ORDER_AGREES_WITH_PAYMENT}),
        (
            "UPDATE payments JOIN orders ON orders.id = payments.order_id SET payments.status = 'PAID'"
            " WHERE orders.failure_reason = 'out-of-stock'",
            {Rule.ORDER_AGREES_WITH_PAYMENT},
        ),
        (
            "UPDATE stock_reservations SET status = 'RELEASED' WHERE status = 'RESERVED'",
            {Rule.ORDER_AGREES_WITH_RESERVATION, Rule.RESERVED_UNITS_LEFT_STOCK},
        ),
        (
            "UPDATE stock_reservations JOIN orders ON orders.id = stock_reservations.order_id"
            " SET stock_reservations.status = 'RESERVED' WHERE orders.failure_reason = 'insufficient-points'",
            {Rule.ORDER_AGREES_WITH_RESERVATION, Rule.RESERVED_UNITS_LEFT_STOCK},
        ),
    ],
)  # fmt: skip
async def test_what_is_changed_past_the_services_is_seen(sold: Database, planted: str, found: set[Rule]) -> None:
    assert await broken(sold) == {}
    await change(sold, planted)

    assert await broken(sold) == dict.fromkeys(found, 1)


async def test_the_gauges_show_a_healthy_shop_and_then_a_breach(sold: Database) -> None:
    watch = ShopWatch(sold)
    await watch.look()
    healthy = [shown(rule) for rule in Rule]
    products = REGISTRY.get_sample_value("catalogue_products")
    await change(sold, "UPDATE point_balances SET balance = balance + 1 WHERE user_id = 1")
    await watch.look()

    assert (healthy, products) == ([0] * len(Rule), 3)
    assert {rule for rule in Rule if shown(rule) == 1} == {Rule.BALANCE_IS_SUM_OF_ENTRIES}


async def test_one_watch_exports_them_and_the_one_that_stands_by_knows_nothing(
    sold: Database, settings: Settings
) -> None:
    assert await broken(sold) == {}
    watching, standing_by = await asyncio.to_thread(exported_by_two_watches, settings)

    assert watching == {"products": 3.0, **{rule.value: 0.0 for rule in Rule}}
    assert list(standing_by) == ["products"]
    assert math.isnan(standing_by["products"])


def exported_by_two_watches(settings: Settings) -> Sequence[Mapping[str, float]]:
    """What two watches export once one of them has looked, that one first."""
    watches = [Application(words=("doorbuster.jobs.watch",), environment=environment_of(settings)) for _ in range(2)]

    def exported() -> Sequence[Mapping[str, float]]:
        return sorted((shop_measures(watch.metrics()) for watch in watches), key=len, reverse=True)

    with running(*watches):
        seconds_until(lambda: len(exported()[0]) > len(Rule), within_seconds=30, what="a watch that has looked")
        return exported()


def shop_measures(metrics: str) -> Mapping[str, float]:
    """The number of products, and of breaches by rule."""
    found = re.findall(r'^(?:catalogue_(products)|invariant_breaches{rule="(\w+)"}) (\S+)$', metrics, re.MULTILINE)
    return {name or rule: float(number) for name, rule, number in found}


async def test_a_large_table_is_read_page_by_page(shop: Database) -> None:
    async with shop.transaction() as connection:
        numbers = range(4, 2 * PAGE_ROWS + 101)
        values = [{"product_id": number, "supplied": 1, "available": 1} for number in numbers]
        await connection.execute(stock.insert(), values)
    await change(shop, "UPDATE stock SET available = supplied + 1 WHERE product_id = 1")
    watch = ShopWatch(shop, invariants={Rule.STOCK_WITHIN_SUPPLY: INVARIANTS[Rule.STOCK_WITHIN_SUPPLY]})

    counts = []
    for _ in range(5):
        await watch.look()
        counts.append(shown(Rule.STOCK_WITHIN_SUPPLY))

    assert counts == [0, 0, 1, 1, 1]


async def test_a_statement_that_takes_too_long_is_ended_by_mysql_and_leaves_the_connections_alone(
    shop: Database,
) -> None:
    rule = Rule.BALANCE_IS_SUM_OF_ENTRIES
    endless = text(
        "SELECT /*+ MAX_EXECUTION_TIME(50) */ COUNT(*), MIN(a.table_name), :before, :page_rows"
        " FROM information_schema.columns AS a, information_schema.columns AS b, information_schema.columns AS c"
    )
    watch = ShopWatch(shop, invariants={rule: Invariant(statement=endless, newest=1)})
    before = shop.state()
    await watch.look()

    assert math.isnan(shown(rule))
    assert shop.state() == before
    assert watch.resting == {rule}
