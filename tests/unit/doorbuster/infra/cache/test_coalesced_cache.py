import asyncio

import pytest
from prometheus_client import REGISTRY

from doorbuster.infra.cache.coalesced_cache import CoalescedCache, Filled
from doorbuster.infra.cache.entries import Entry, pack
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.shared_cache import Filling
from doorbuster.infra.circuits import Circuits, Dependency
from tests.unit.doorbuster.infra.cache.fake_cache import Clock, FakeCache

ENTRY = Entry(version=2, body=b"good")


@pytest.fixture
def fake() -> FakeCache:
    return FakeCache(Clock())


@pytest.fixture
def cache(fake: FakeCache) -> CoalescedCache:
    return CoalescedCache(
        fake,
        Guard(Circuits(Dependency.REDIS, clock=Clock()), "test"),
        kind="test",
        is_body_of=lambda _, body: body == b"good",
    )


def reads(result: str) -> float:
    return REGISTRY.get_sample_value("cache_reads_total", {"level": "redis", "result": result}) or 0.0


def offered(key: int = 1, *, version: int = 2) -> Filling:
    return Filling(key=key, entry=Entry(version=version, body=b"good"), seconds=10)


async def test_what_was_taken_is_found(cache: CoalescedCache) -> None:
    assert await cache.fill(offered()) is Filled.TAKEN
    assert await cache.find(1) == ENTRY
    assert await cache.find(2) is None
    await cache.drain()


async def test_what_is_older_than_the_floor_is_outdated(cache: CoalescedCache, fake: FakeCache) -> None:
    await fake.raise_floor(1, 3)

    assert await cache.fill(offered()) is Filled.OUTDATED


@pytest.mark.parametrize("raw", [b"nothing of ours", pack(Entry(version=1, body=b"of another form"))])
async def test_what_cannot_be_decoded_is_a_miss_and_counted(cache: CoalescedCache, fake: FakeCache, raw: bytes) -> None:
    fake.write_raw(1, raw)
    before = reads("undecodable")

    assert await cache.find(1) is None
    assert reads("undecodable") == before + 1


async def test_questions_of_one_moment_are_one(cache: CoalescedCache, fake: FakeCache) -> None:
    await asyncio.gather(*(cache.fill(offered(key)) for key in range(60)))
    assert fake.asked == 1

    found = await asyncio.gather(*(cache.find(key) for key in range(60)))
    assert fake.asked == 2
    assert found == [ENTRY] * 60


async def test_a_cache_that_is_away_is_a_miss_and_no_error(cache: CoalescedCache, fake: FakeCache) -> None:
    fake.away = True

    assert await cache.find(1) is None
    assert await cache.fill(offered()) is Filled.AWAY


async def test_after_its_end_it_is_as_if_the_cache_were_away(cache: CoalescedCache) -> None:
    await cache.drain()

    assert await cache.find(1) is None
    assert await cache.fill(offered()) is Filled.AWAY
