"""The ranking from the post-process group's commit to Redis and to the reader, and back after every loss (R11)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import Row, event, text

from doorbuster.bootstrap.consumers import ConsumerName, Parts, parts_of
from doorbuster.bootstrap.ranking_watch import RankingWatch
from doorbuster.contracts.bodies import Body, CouponNone, OrderCompleted, OrderLine
from doorbuster.contracts.messages import Message, encode
from doorbuster.infra.kafka.records import Record
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.migrations import connected
from doorbuster.kernel.ids import MessageId
from doorbuster.products.ranking import MOST_RANKED, BestSeller, SoldUnits
from doorbuster.products.redis_ranking import KEPT_SECONDS, UNITS, VERSIONS, RedisRanking
from doorbuster.products.repository import MySqlBestSellers
from doorbuster.products.tables import product_sales
from doorbuster.settings import RedisSettings, Settings
from tests.integration.apps.awaited import until
from tests.integration.apps.patient_redis import patient
from tests.integration.apps.storefront import Storefront, running_storefront, supply
from tests.integration.polling import seconds_until
from tests.ports import free_port
from tests.unit.doorbuster.products.ranking_contract import RankingContract, sellers, sold

pytestmark = pytest.mark.integration

NUMBERS = count(1)
# So many sends in a row are not lost, however busy the machine is.
SALES = 10
RANKING_PATH = "/api/v1/products/ranking"


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    client = patient(settings.redis)
    await client.delete(UNITS, VERSIONS)
    yield client
    await client.delete(UNITS, VERSIONS)
    await client.aclose()


@pytest.fixture
def ranking(client: Redis) -> RedisRanking:
    return RedisRanking(client)


class TestRedisRanking(RankingContract):
    """All of them."""


async def test_both_keys_hold_the_same_products_and_end_together(client: Redis, ranking: RedisRanking) -> None:
    await ranking.renew([sold(product, product) for product in range(1, MOST_RANKED + 1)])
    made = [await client.pexpiretime(key) for key in (UNITS, VERSIONS)]
    for step in (1, 2):
        await ranking.note([sold(MOST_RANKED + step + more, 2_000) for more in range(50)])
        await ranking.renew([sold(step, 9_000, version=2)])

    names = set(await client.zrange(UNITS, 0, -1))
    assert (len(names), names) == (MOST_RANKED, set(await client.hkeys(VERSIONS)))
    assert made[0] == made[1] == await client.pexpiretime(UNITS) == await client.pexpiretime(VERSIONS)
    assert 0 < await client.pttl(UNITS) <= KEPT_SECONDS * 1000


async def test_what_is_left_of_a_lost_ranking_holds_nothing_back(client: Redis, ranking: RedisRanking) -> None:
    await ranking.renew([sold(1, 5, version=9)])
    await client.delete(UNITS)
    await ranking.renew([sold(1, 4, version=8)])
    assert await ranking.best(10) == sellers((1, 4))

    await client.delete(VERSIONS)
    await ranking.note([sold(1, 3, version=7)])
    assert await ranking.best(10) == sellers((1, 3))


async def test_what_somebody_else_wrote_is_left_out(client: Redis, ranking: RedisRanking) -> None:
    await ranking.renew([sold(1, 5)])
    await client.zadd(UNITS, {"lamp": 9, "7": 8, "-" + "1" * 18: 7, "0" * 18 + "2": 6.5, "0" * 18 + "3": float("inf")})

    assert await ranking.best(10) == sellers((1, 5))


async def test_a_script_that_redis_has_forgotten_is_sent_again(client: Redis, ranking: RedisRanking) -> None:
    await ranking.renew([sold(1, 5)])
    await client.script_flush()
    await ranking.note([sold(1, 6, version=2)])

    assert await ranking.best(10) == sellers((1, 6))


# From the commit to Redis


def completed(order: int, *lines: tuple[int, int]) -> OrderCompleted:
    """An order of pairs of a product and its units."""
    bought = tuple(OrderLine(product_id=product, quantity=units, unit_price=5) for product, units in lines)
    total = 5 * sum(units for _, units in lines)
    return OrderCompleted(order_id=UUID(int=order), user_id=1, lines=bought, total=total)


def record(body: Body) -> Record:
    number = next(NUMBERS)
    value = encode(Message(id=MessageId(UUID(int=number)), occurred_at=datetime.now(UTC), body=body))
    return Record(topic="order-completed", partition=0, offset=number, key=None, value=value, timestamp_ms=1)


@asynccontextmanager
async def post_process(settings: Settings) -> AsyncIterator[Parts]:
    async with parts_of(ConsumerName.POST_PROCESS, settings) as parts:
        try:
            yield parts
        finally:
            parts.source.close()


async def stored(database: Database) -> Sequence[BestSeller]:
    counts = await MySqlBestSellers(database).best(MOST_RANKED)
    return sellers(*((count.product_id, count.units) for count in counts))


async def known_after(sale: Callable[[], Awaitable[None]], database: Database, ranking: RedisRanking) -> None:
    """Sell until Redis says what MySQL says: a send may be lost, and the next sale makes up for it."""

    async def agree() -> bool:
        return await ranking.best(MOST_RANKED) == await stored(database)

    for _ in range(SALES):
        await sale()
        try:
            await until(agree, within_seconds=1)
        except TimeoutError:
            continue
        return
    raise AssertionError(f"Redis says {await ranking.best(10)}, MySQL {await stored(database)}")


async def test_each_sale_is_in_the_ranking_once_however_often_it_is_told(
    database: Database, settings: Settings, ranking: RedisRanking
) -> None:
    async with post_process(settings) as consumer:
        await consumer.handler.handle([record(completed(1, (1, 2), (2, 1)))])
        # Nobody has made a ranking yet; the watch does.
        await ranking.renew(await MySqlBestSellers(database).best(MOST_RANKED))
        assert await ranking.best(10) == sellers((1, 2), (2, 1))
        orders: list[int] = []

        async def sale() -> None:
            orders.append(len(orders) + 2)
            new = record(completed(orders[-1], (2, 4), (1, 1)))
            await consumer.handler.handle([new, record(completed(1, (1, 2), (2, 1)))])
            await consumer.handler.handle([new])

        await known_after(sale, database, ranking)

    expected = sellers((2, 1 + 4 * len(orders)), (1, 2 + len(orders)))
    assert await ranking.best(10) == await stored(database) == expected


async def test_poison_among_sales_brings_nothing_that_is_not_committed(
    database: Database, settings: Settings, ranking: RedisRanking
) -> None:
    numbers = count(2)
    async with post_process(settings) as consumer:
        await consumer.handler.handle([record(completed(1, (1, 1)))])
        await ranking.renew(await MySqlBestSellers(database).best(MOST_RANKED))

        async def sale() -> None:
            poison = record(CouponNone(order_id=UUID(int=1)))
            sales = [record(completed(next(numbers), (1, units))) for units in (3, 5)]
            result = await consumer.handler.handle([sales[0], poison, sales[1]])
            assert (result.processed, result.dead_letters) == (2, 1)

        await known_after(sale, database, ranking)


async def test_without_redis_the_post_process_group_goes_on(database: Database, settings: Settings) -> None:
    nowhere = settings.model_copy(update={"redis": RedisSettings(address=f"127.0.0.1:{free_port()}")})
    async with post_process(nowhere) as consumer:
        results = [await consumer.handler.handle([record(completed(number, (1, 1)))]) for number in range(1, 11)]

    assert [result.processed for result in results] == [1] * 10
    assert await MySqlBestSellers(database).best(10) == [sold(1, 10, version=10)]


async def test_the_watch_brings_back_what_redis_lost(
    database: Database, settings: Settings, client: Redis, ranking: RedisRanking
) -> None:
    watch = RankingWatch(MySqlBestSellers(database).best, ranking)
    async with post_process(settings) as consumer:
        await consumer.handler.handle([record(completed(1, (1, 2), (2, 1)))])
        await watch._look()
        assert await ranking.best(10) == sellers((1, 2), (2, 1))
        await client.delete(UNITS, VERSIONS)
        await consumer.handler.handle([record(completed(2, (2, 1)))])

    assert await ranking.best(10) == []
    await watch._look()
    assert await ranking.best(10) == sellers((2, 2), (1, 2))


async def test_the_best_are_read_by_the_index_in_its_order(database: Database) -> None:
    numbers = range(1, 3_001)
    async with database.transaction() as connection:
        values = [{"product_id": each, "units": each % 100, "orders": 1, "version": 1} for each in numbers]
        await rows.add(connection, product_sales, values)
    best = [(found.units, found.product_id) for found in await MySqlBestSellers(database).best(MOST_RANKED)]
    assert best == sorted(((each % 100, each) for each in numbers), reverse=True)[:MOST_RANKED]

    plan = await _plan(database)
    assert (plan.key, plan.rows) == ("ix_product_sales_units_product_id", 20)
    assert "filesort" not in (plan.Extra or "")


async def _plan(database: Database) -> Row[Any]:
    statements: list[tuple[str, object]] = []

    class Noting:
        @asynccontextmanager
        async def catalogue(self) -> AsyncIterator[Any]:
            async with database.reading() as connection:
                synchronous = connection.sync_connection
                assert synchronous is not None

                def note(_c: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
                    statements.append((statement, parameters))

                event.listen(synchronous, "before_cursor_execute", note)
                yield connection
                event.remove(synchronous, "before_cursor_execute", note)

    await MySqlBestSellers(Noting()).best(20)  # type: ignore[arg-type]  # the one thing that it asks for
    (statement, parameters), *_ = statements
    async with database.reading() as connection:
        found = await connection.exec_driver_sql(f"EXPLAIN FORMAT=TRADITIONAL {statement}", parameters)  # type: ignore[arg-type]
        return found.one()


# To the reader


@pytest.fixture
def shop(empty_tables: Settings, tmp_path: Path) -> Iterator[Storefront]:
    supply(empty_tables)
    with running_storefront(empty_tables, tmp_path) as running:
        yield running


def sell(settings: Settings, **units: int) -> None:
    """Count units of products, given as `_1=5`."""
    with connected(settings.mysql) as connection:
        for name, sold_units in units.items():
            connection.execute(
                text(
                    "INSERT INTO product_sales (product_id, units, orders, version) VALUES (:product, :units, 1, 1)"
                    " ON DUPLICATE KEY UPDATE units = units + :units, version = version + 1"
                ),
                {"product": int(name[1:]), "units": sold_units},
            )


async def tell(settings: Settings, *counts: SoldUnits) -> None:
    """Make this the ranking in Redis; without counts there is none."""
    client = patient(settings.redis)
    await client.delete(UNITS, VERSIONS)
    await RedisRanking(client).renew(counts)
    await client.aclose()


def shown(reader: httpx.Client) -> list[tuple[int, str, int]]:
    products = reader.get(RANKING_PATH).raise_for_status().json()["products"]
    assert [product["rank"] for product in products] == list(range(1, len(products) + 1))
    return [(product["product_id"], product["name"], product["units"]) for product in products]


def test_readers_see_what_redis_says_and_mysql_where_it_says_nothing(empty_tables: Settings, shop: Storefront) -> None:
    with shop.client(None) as reader:
        assert shown(reader) == []
        sell(empty_tables, _1=5, _2=7)
        from_mysql = [(2, "Chair", 7), (1, "Lamp", 5)]
        seconds_until(lambda: shown(reader) == from_mysql, within_seconds=10, what="the ranking of MySQL")

        asyncio.run(tell(empty_tables, sold(1, 50), sold(2, 40)))
        from_redis = [(1, "Lamp", 50), (2, "Chair", 40)]
        seconds_until(lambda: shown(reader) == from_redis, within_seconds=10, what="the ranking of Redis")
        asyncio.run(tell(empty_tables))
        seconds_until(lambda: shown(reader) == from_mysql, within_seconds=10, what="the ranking of MySQL again")
        assert len(reader.get(f"{RANKING_PATH}?limit=1").json()["products"]) == 1


def test_without_redis_the_ranking_is_that_of_mysql(empty_tables: Settings, tmp_path: Path) -> None:
    supply(empty_tables)
    sell(empty_tables, _1=5, _2=7)
    nowhere = empty_tables.model_copy(update={"redis": RedisSettings(address=f"127.0.0.1:{free_port()}")})
    with running_storefront(nowhere, tmp_path) as shop, shop.client(None) as reader:
        assert shown(reader) == [(2, "Chair", 7), (1, "Lamp", 5)]
