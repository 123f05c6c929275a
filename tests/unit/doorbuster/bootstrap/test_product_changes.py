import pytest

from doorbuster.bootstrap import product_changes
from doorbuster.bootstrap.product_changes import Floors
from doorbuster.kernel.ids import ProductId
from doorbuster.products.model import Product
from tests.unit.doorbuster.infra.cache.fake_cache import Clock, FakeCache

LAMP = Product(id=ProductId(1), name="Lamp", price=100, version=7)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_changes, "LONGEST_PAUSE_SECONDS", 0.0)


class TurningClock(Clock):
    """A clock that goes on by half a second with each look."""

    def __call__(self) -> float:
        self.pass_by(0.5)
        return super().__call__()


class ComesBack(FakeCache):
    """Is away for the first questions."""

    async def raise_floor(self, key: int, version: int) -> None:
        self.away = self.asked < 3
        await super().raise_floor(key, version)


async def test_a_floor_is_set_and_told() -> None:
    cache = FakeCache(Clock())

    assert await Floors(cache, Clock()).raise_for(LAMP)
    assert (cache.floor(1), cache.told) == (7, [1])


async def test_while_redis_is_away_it_is_tried_again() -> None:
    cache = ComesBack(Clock())

    assert await Floors(cache, TurningClock()).raise_for(LAMP)
    assert cache.floor(1) == 7


async def test_after_the_time_in_which_every_older_copy_has_ended_it_is_given_up() -> None:
    cache, clock = FakeCache(Clock()), TurningClock()
    cache.away = True
    began = clock.now

    assert not await Floors(cache, clock).raise_for(LAMP)
    assert 31 <= clock.now - began <= 35
