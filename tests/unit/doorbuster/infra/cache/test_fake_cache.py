"""The fake keeps the promises of the shared cache, so that tests may trust it."""

from collections.abc import Awaitable, Callable

import pytest

from tests.unit.doorbuster.infra.cache.cache_contract import SharedCacheContract, World
from tests.unit.doorbuster.infra.cache.fake_cache import Clock, FakeCache

STEPS = 100


class FakeWorld:
    def __init__(self) -> None:
        self._clock = Clock()
        self._fake = FakeCache(self._clock)
        self.cache = self._fake

    async def write_raw(self, key: int, raw: bytes) -> None:
        self._fake.write_raw(key, raw)

    async def told(self, count: int) -> list[int]:
        return self._fake.told[:count]

    async def until(self, reached: Callable[[], Awaitable[bool]]) -> None:
        for _ in range(STEPS):
            if await reached():
                return
            self._clock.pass_by(0.01)
        raise AssertionError("not reached")


@pytest.fixture
def world() -> World:
    return FakeWorld()


class TestFakeCache(SharedCacheContract):
    pass
