"""The shared cache and the sold-out hint in a real Redis; without it, nobody is refused (R4, R6, R17)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from doorbuster.infra.cache.changes import listen_for_changes
from doorbuster.infra.cache.redis_cache import RedisCache
from doorbuster.infra.cache.sold_out import HINT_SECONDS, KEY, RedisSoldOut
from doorbuster.infra.redis import connect
from doorbuster.kernel.ids import ProductId
from doorbuster.settings import RedisSettings, Settings
from tests.integration.apps.awaited import until
from tests.integration.apps.patient_redis import patient
from tests.integration.apps.relays import reached
from tests.ports import free_port
from tests.unit.doorbuster.infra.cache.cache_contract import SharedCacheContract, World, filling

pytestmark = pytest.mark.integration

A, B, C = (ProductId(number) for number in (1, 2, 3))


class Heard:
    """What a process hears of changes."""

    def __init__(self) -> None:
        self.changed: list[int] = []
        self.gaps = 0

    def miss(self) -> None:
        self.gaps += 1


class RedisWorld:
    """A kind of copies that nobody else uses, so that nothing has to be emptied."""

    def __init__(self, client: Redis, kind: str, heard: Heard) -> None:
        self._client, self.kind, self._heard = client, kind, heard
        self.cache = RedisCache(client, kind=kind)

    async def write_raw(self, key: int, raw: bytes) -> None:
        await self._client.set(f"{self.kind}:{key}:body", raw, ex=60)

    async def told(self, count: int) -> list[int]:
        await reached(lambda: len(self._heard.changed) >= count, f"{count} keys are told")
        return self._heard.changed[:count]

    async def until(self, state: Callable[[], Awaitable[bool]]) -> None:
        await until(state)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    client = patient(settings.redis)
    yield client
    await client.aclose()


@asynccontextmanager
async def hearing(client: Redis, channel: str) -> AsyncIterator[Heard]:
    """Yield what is heard, once the subscription stands."""
    heard = Heard()
    listener = asyncio.create_task(listen_for_changes(client, channel, changed=heard.changed.append, missed=heard.miss))
    try:
        await reached(lambda: heard.gaps == 1, "the subscription stands")
        yield heard
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


@pytest.fixture
async def world(client: Redis) -> AsyncIterator[RedisWorld]:
    kind = f"test-{uuid4()}"
    async with hearing(client, f"{kind}:changed") as heard:
        yield RedisWorld(client, kind, heard)


class TestRedisCache(SharedCacheContract):
    async def test_many_copies_are_offered_and_found_at_once(self, world: World) -> None:
        fillings = [filling(1, key=key) for key in range(1, 101)]

        assert await world.cache.fill(fillings) == [True] * 100
        assert len(await world.cache.find(range(1, 201))) == 100

    async def test_what_is_of_another_type_is_nothing_and_written_over(self, world: RedisWorld, client: Redis) -> None:
        for name in ("body", "floor"):
            await client.rpush(f"{world.kind}:1:{name}", "a", "b")

        assert await world.cache.find([1]) == {}
        assert await world.cache.fill([filling(1)]) == [True]
        await world.cache.raise_floor(1, 2)
        assert await world.cache.fill([filling(1)]) == [False]


async def test_a_broken_subscription_is_told_twice_and_then_changes_are_heard_again(
    client: Redis, settings: Settings
) -> None:
    kind, other = f"test-{uuid4()}", patient(settings.redis)
    async with hearing(other, f"{kind}:changed") as heard:
        await client.client_kill_filter(_type="pubsub")
        # At the end of the one, and at the beginning of the next.
        await reached(lambda: heard.gaps >= 3, "the subscription stands again")
        await RedisCache(client, kind=kind).raise_floor(5, 1)
        await reached(lambda: heard.changed == [5], "the change is heard")
    await other.aclose()


async def test_what_is_no_key_is_a_gap(client: Redis) -> None:
    channel = f"test-{uuid4()}:changed"
    async with hearing(client, channel) as heard:
        await client.publish(channel, b"hello")
        await reached(lambda: heard.gaps == 2, "a gap")
        await client.publish(channel, b"7")
        await reached(lambda: heard.changed == [7], "a key")


async def test_without_redis_listening_goes_on_and_ends_when_it_is_told_to() -> None:
    client = connect(RedisSettings(address=f"127.0.0.1:{free_port()}"))
    heard = Heard()
    listener = asyncio.create_task(listen_for_changes(client, "any", changed=heard.changed.append, missed=heard.miss))
    await reached(lambda: heard.gaps >= 2, "two attempts")
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    await client.aclose()


@pytest.fixture
async def hints(client: Redis) -> AsyncIterator[RedisSoldOut]:
    await client.delete(KEY)
    yield RedisSoldOut(client)
    await client.delete(KEY)


async def test_hints_are_set_and_cleared(hints: RedisSoldOut) -> None:
    await hints.set([A, B])
    await hints.set([])
    assert await hints.current() == {A, B}

    await hints.clear([A, C])
    await hints.clear([])
    assert await hints.current() == {B}


async def test_a_hint_ends_by_itself_and_leaves_nothing(client: Redis, hints: RedisSoldOut) -> None:
    await hints.set([A])
    left = await client.pttl(KEY)

    async def is_over() -> bool:
        return await hints.current() == frozenset()

    assert 0 < left <= HINT_SECONDS * 1000
    await until(is_over)
    assert await client.exists(KEY) == 0


async def test_a_hint_that_is_set_again_lasts_longer_and_others_do_not(client: Redis, hints: RedisSoldOut) -> None:
    await hints.set([A])
    # As if it had been set a second ago.
    await client.zincrby(KEY, -1000, str(A))
    ends = await client.zscore(KEY, str(A)) or 0.0
    await hints.set([B])

    async def only_one_is_left() -> bool:
        return await hints.current() == {B}

    await until(only_one_is_left)
    assert (await client.zscore(KEY, str(B)) or 0.0) >= ends + 1000


async def test_what_others_put_among_the_hints_is_no_product(client: Redis, hints: RedisSoldOut) -> None:
    await hints.set([A])
    await client.zadd(KEY, {"lamp": 1e15, "9" * 30: 1e15})

    assert await hints.current() == {A}
