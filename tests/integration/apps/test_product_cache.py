"""Products through the caches on real servers: old copies, floors, lagging secondaries, outages, stampedes (R6)."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from doorbuster.bootstrap.catalogue import (
    PRODUCTS,
    CachedCatalogue,
    ProductSource,
    cached_catalogue,
    entry_of,
    is_product_body,
)
from doorbuster.bootstrap.product_changes import NoSuchProduct, change_product, write_change
from doorbuster.bootstrap.warm_up import WarmUp, warm_up
from doorbuster.bootstrap.warmable import Warmed
from doorbuster.infra.cache.coalesced_cache import CoalescedCache
from doorbuster.infra.cache.entries import Entry, pack, unpack
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.read_through import ReadThrough
from doorbuster.infra.cache.redis_cache import RedisCache
from doorbuster.infra.cache.shared_cache import Filling
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.redis import connect
from doorbuster.kernel.ids import ProductId
from doorbuster.products.changes import ProductChange
from doorbuster.products.documents import product_body
from doorbuster.products.model import Product
from doorbuster.products.repository import MySqlCatalogueSource
from doorbuster.products.seed import CatalogueSeed, seeded_price
from doorbuster.products.service import CatalogueService
from doorbuster.settings import CopySettings, RedisSettings, Settings
from tests.integration.apps.awaited import until
from tests.integration.apps.patient_redis import patient
from tests.ports import free_port

pytestmark = pytest.mark.integration

LAMP = ProductId(3)
COUNT = 60
READERS = 1_000
# A copy in the process lives for longer, so only who has heard of a change knows it by then.
HEARD_SECONDS = 0.75


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    """A client of Redis."""
    client = patient(settings.redis)
    yield client
    await client.aclose()


@pytest.fixture
async def shop(database: Database) -> Database:
    """Products 1 to 60."""
    async with database.transaction() as connection:
        await CatalogueSeed(count=COUNT, units=10).write(connection, range(1, COUNT + 1))
    return database


class Counted:
    """Reads of products that are counted, on a secondary that is as far behind as a test wants.

    Attributes:
        reads: how many products each query asked for.
        behind: what the secondary still shows.
    """

    def __init__(self, database: Database) -> None:
        self._service = CatalogueService(MySqlCatalogueSource(database))
        self.reads: list[int] = []
        self.behind: dict[ProductId, Product] = {}

    async def find(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        self.reads.append(len(product_ids))
        return {**await self._service.find(product_ids), **self.behind}

    async def newest(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        self.reads.append(len(product_ids))
        return await self._service.newest(product_ids)

    async def remember(self, product_id: ProductId) -> None:
        """Have the secondary stop here."""
        self.behind |= await self._service.newest([product_id])


class Process:
    """One process without a memory of its own, so that Redis is asked each time."""

    def __init__(self, database: Database, client: Redis) -> None:
        loop = asyncio.get_running_loop()
        self.database = Counted(database)
        self.cache = RedisCache(client, kind=PRODUCTS)
        shared = CoalescedCache(
            self.cache,
            Guard(Circuits(Dependency.REDIS, clock=loop.time), "test", answer_seconds=2),
            kind="test",
            is_body_of=is_product_body,
        )
        self.near = ReadThrough(
            ProductSource(self.database), process=None, shared=shared, clock=loop.time, chance=lambda: 1.0
        )

    async def version(self, product_id: ProductId = LAMP) -> int | None:
        entry = await self.near.find(product_id)
        return None if entry is None else entry.version

    async def version_in_redis(self, product_id: ProductId = LAMP) -> int | None:
        found = await self.cache.find([product_id])
        return unpack(found[product_id]).version if product_id in found else None


@pytest.fixture
async def process(shop: Database, client: Redis) -> Process:
    return Process(shop, client)


async def is_listening(client: Redis) -> bool:
    """Tell whether a process hears of changes."""
    ((_, count),) = await client.pubsub_numsub(f"{PRODUCTS}:changed")
    return int(count) > 0


@asynccontextmanager
async def catalogue(settings: Settings, database: Database, client: Redis) -> AsyncIterator[CachedCatalogue]:
    async with cached_catalogue(settings, database, client=client, circuits=Circuits(Dependency.REDIS)) as running:
        yield running
        await running.drain()


async def body(running: CachedCatalogue, product_id: ProductId = LAMP) -> Entry | None:
    return await running.find(product_id)


async def test_a_product_is_read_once_and_then_from_redis(process: Process) -> None:
    assert [await process.version() for _ in range(3)] == [1, 1, 1]
    assert process.database.reads == [1]
    assert await process.version_in_redis() == 1


async def test_a_thousand_who_miss_at_once_cost_one_read(process: Process) -> None:
    found = await asyncio.gather(*(process.version() for _ in range(READERS)))

    assert set(found) == {1}
    assert process.database.reads == [1]


async def test_misses_of_many_products_are_few_reads(process: Process) -> None:
    products = [ProductId(number) for number in range(1, COUNT + 1)]
    found = await asyncio.gather(*(process.version(product) for product in products * 10))

    assert set(found) == {1}
    assert len(process.database.reads) == 1


async def test_a_change_is_seen_by_the_next_reader_although_the_secondary_lags(
    process: Process, settings: Settings
) -> None:
    assert await process.version() == 1
    await process.database.remember(LAMP)

    done = await change_product(settings, LAMP, ProductChange(price=77))

    assert (done.version, done.floor_set) == (2, True)
    assert await process.version_in_redis() is None
    assert await process.version() == 2
    assert process.database.reads == [1, 1, 1]
    assert await process.version_in_redis() == 2


async def test_a_copy_that_was_read_before_a_change_is_refused_after_it(process: Process, settings: Settings) -> None:
    old = entry_of(Product(id=LAMP, name="old", price=1, version=1))
    await change_product(settings, LAMP, ProductChange(price=77))

    assert await process.cache.fill([Filling(key=LAMP, entry=old, seconds=20)]) == [False]
    assert await process.version() == 2


async def test_a_change_that_is_repeated_changes_nothing_and_sets_the_floor_again(
    process: Process, settings: Settings, client: Redis
) -> None:
    change = ProductChange(name="Renamed")
    first = await change_product(settings, LAMP, change)
    await client.delete(f"{PRODUCTS}:{LAMP}:floor", f"{PRODUCTS}:{LAMP}:body")

    assert await change_product(settings, LAMP, change) == first
    assert await client.get(f"{PRODUCTS}:{LAMP}:floor") == b"2"
    assert await process.version() == 2


async def test_changes_at_once_all_count(shop: Database, settings: Settings) -> None:
    done = await asyncio.gather(*(write_change(shop, LAMP, ProductChange(price=price)) for price in range(1, 21)))

    assert sorted(product.version for product in done) == list(range(2, 22))
    with pytest.raises(NoSuchProduct):
        await change_product(settings, ProductId(999), ProductChange(price=5))


async def test_an_unknown_product_is_unknown_and_not_kept_in_redis(process: Process) -> None:
    assert await process.version(ProductId(999)) is None
    assert await process.version_in_redis(ProductId(999)) is None


@pytest.mark.parametrize("raw", [b"rubbish", b"1 1 {}", b'1 1 {"id":4,"name":"Other","price":1}', b"0 9 {}"])
async def test_what_cannot_be_decoded_is_read_anew_and_written_over(
    process: Process, client: Redis, raw: bytes
) -> None:
    await client.set(f"{PRODUCTS}:{LAMP}:body", raw, ex=60)

    assert [await process.version() for _ in range(2)] == [1, 1]
    assert process.database.reads == [1]


async def test_a_process_hears_of_a_change_and_drops_its_copy(
    shop: Database, settings: Settings, client: Redis
) -> None:
    async with catalogue(settings, shop, client) as running:
        await until(lambda: is_listening(client))
        before = await body(running)
        await change_product(settings, LAMP, ProductChange(price=77))

        async def is_new() -> bool:
            return await body(running) != before

        await until(is_new, within_seconds=HEARD_SECONDS)
        after = await body(running)
    assert after is not None
    assert (after.version, after.body) == (2, product_body(Product(id=LAMP, name="Product 3", price=77, version=2)))


async def test_when_the_subscription_breaks_the_copies_of_the_process_are_dropped(
    shop: Database, settings: Settings, client: Redis
) -> None:
    other = patient(settings.redis)
    async with catalogue(settings, shop, other) as running:
        await until(lambda: is_listening(client))
        assert await body(running) is not None
        # Past all rules, so that only the process' own copy is old.
        await client.set(
            f"{PRODUCTS}:{LAMP}:body", pack(entry_of(Product(id=LAMP, name="N", price=9, version=7))), ex=9
        )
        await client.client_kill_filter(_type="pubsub")

        async def is_new() -> bool:
            found = await body(running)
            return found is not None and found.version == 7

        await until(is_new, within_seconds=HEARD_SECONDS)
    await other.aclose()


async def test_without_redis_products_are_read_all_the_same(shop: Database, settings: Settings) -> None:
    nowhere = settings.model_copy(update={"redis": RedisSettings(address=f"127.0.0.1:{free_port()}")})
    client = connect(nowhere.redis)
    async with catalogue(nowhere, shop, client) as running:
        found = await asyncio.gather(*(body(running, ProductId(number)) for number in range(1, COUNT + 1)))
        assert all(found)
        assert await body(running, ProductId(999)) is None
    await client.aclose()


async def test_a_redis_that_does_not_answer_costs_short_waits_and_then_none(shop: Database, settings: Settings) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    hanging = settings.model_copy(
        update={
            "redis": RedisSettings(address=f"127.0.0.1:{server.sockets[0].getsockname()[1]}"),
            "copies": CopySettings(process=False),
        }
    )
    client = connect(hanging.redis)
    async with catalogue(hanging, shop, client) as running:
        for number in range(1, 21):
            assert await body(running, ProductId(number)) is not None
        # The breaker is open now.
        before = asyncio.get_running_loop().time()
        assert await body(running) is not None
        took = asyncio.get_running_loop().time() - before
    await client.aclose()
    server.close()

    assert took < 1.0


@pytest.mark.parametrize("cache", [CopySettings(process=a, redis=b) for a in (True, False) for b in (True, False)])
async def test_the_answer_is_the_same_with_and_without_each_level(
    shop: Database, settings: Settings, client: Redis, cache: CopySettings
) -> None:
    async with catalogue(settings.model_copy(update={"copies": cache}), shop, client) as running:
        found = [await body(running) for _ in range(3)]

    assert found == [entry_of(Product(id=LAMP, name="Product 3", price=seeded_price(LAMP), version=1))] * 3
    assert await client.exists(f"{PRODUCTS}:{LAMP}:body") == cache.redis


async def test_a_warm_up_fills_redis_and_a_reader_then_costs_the_database_nothing(
    process: Process, settings: Settings
) -> None:
    done = await warm_up(settings, WarmUp(products=[range(1, 41), range(55, 71)]))

    assert done == {"products": Warmed(named=56, filled=46, unknown=10, outdated=0)}
    assert await process.version(ProductId(40)) == 1
    assert process.database.reads == []
