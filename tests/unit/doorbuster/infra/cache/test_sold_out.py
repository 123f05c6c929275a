import asyncio
from collections.abc import Collection

import pytest

from doorbuster.infra.cache.guard import POLICY, Guard
from doorbuster.infra.cache.sold_out import SNAPSHOT_SECONDS, SoldOutSnapshot
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.kernel.ids import ProductId
from tests.unit.doorbuster.infra.cache.fake_cache import Clock

HOT = ProductId(7)


class Hints:
    def __init__(self) -> None:
        self.products: set[ProductId] = {HOT}
        self.asked = 0
        self.away = False

    async def current(self) -> Collection[ProductId]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise ConnectionResetError
        return self.products


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hints() -> Hints:
    return Hints()


@pytest.fixture
def snapshot(clock: Clock, hints: Hints) -> SoldOutSnapshot:
    return SoldOutSnapshot(hints.current, Guard(Circuits(Dependency.REDIS, clock=clock), "test"), clock)


async def test_redis_is_asked_once_in_200_ms_however_many_want_to_know(
    clock: Clock, hints: Hints, snapshot: SoldOutSnapshot
) -> None:
    assert await asyncio.gather(*(snapshot.products() for _ in range(50))) == [frozenset({HOT})] * 50
    hints.products = set()
    clock.pass_by(SNAPSHOT_SECONDS / 2)
    assert await snapshot.products() == {HOT}
    assert hints.asked == 1

    clock.pass_by(SNAPSHOT_SECONDS / 2)
    assert await snapshot.products() == frozenset()
    assert hints.asked == 2
    await snapshot.drain()


async def test_without_redis_nothing_is_known_to_be_sold_out(
    clock: Clock, hints: Hints, snapshot: SoldOutSnapshot
) -> None:
    await snapshot.products()
    hints.away = True
    for _ in range(20):
        clock.pass_by(SNAPSHOT_SECONDS)
        assert await snapshot.products() == frozenset()
    # The breaker opens, and lets one try now and then.
    assert hints.asked <= 1 + POLICY.failures + 20 * SNAPSHOT_SECONDS / POLICY.open_seconds

    hints.away = False
    clock.pass_by(POLICY.open_seconds)
    assert await snapshot.products() == {HOT}


async def test_a_buyer_that_goes_away_takes_nothing_from_the_others(hints: Hints, snapshot: SoldOutSnapshot) -> None:
    first, second = (asyncio.create_task(snapshot.products()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == {HOT}
    assert hints.asked == 1


async def test_draining_before_anybody_asked_is_done(snapshot: SoldOutSnapshot) -> None:
    await snapshot.drain()
