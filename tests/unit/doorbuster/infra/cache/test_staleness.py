"""No interleaving of writes, readings, floors and lost messages shows a reader anything older than R6 allows."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorbuster.infra.cache import read_through
from doorbuster.infra.cache.shared_cache import Filling
from tests.unit.doorbuster.infra.cache.fake_cache import Clock, FakeCache
from tests.unit.doorbuster.infra.cache.simulation import Simulation

WITH_REDIS_SECONDS = 2.0
WITHOUT_REDIS_SECONDS = 31.0
# R5 lets a secondary be one second behind; one that is cut off doesn't know for five that it is further.
LAG_SECONDS, CUT_OFF_SECONDS = 1.0, 5.0
STEPS = 120
# So many courses of events at most until a defect is found; the worst of them needs a tenth of that.
SEEDS = 600


def with_redis(chance: Random, cache_of: Callable[[Clock], FakeCache] = FakeCache) -> Simulation:
    # Far behind, so that only the floors can tell what is old.
    simulation = Simulation(chance, allowed_seconds=WITH_REDIS_SECONDS, lag_seconds=CUT_OFF_SECONDS, cache_of=cache_of)
    return asyncio.run(simulation.run(STEPS))


def without_redis(chance: Random) -> Simulation:
    simulation = Simulation(
        chance, allowed_seconds=WITHOUT_REDIS_SECONDS, lag_seconds=CUT_OFF_SECONDS, redis_goes_away=True
    )
    return asyncio.run(simulation.run(STEPS))


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_with_redis_nothing_is_older_than_two_seconds(chance: Random) -> None:
    assert with_redis(chance).breaches == []


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_without_redis_nothing_is_older_than_thirty_one_seconds(chance: Random) -> None:
    assert without_redis(chance).breaches == []


def test_the_simulation_reads() -> None:
    assert with_redis(Random(1)).reads > 5


class WithoutFloors(FakeCache):
    """Takes whatever is offered."""

    async def fill(self, fillings: Sequence[Filling]) -> Sequence[bool]:
        for each in fillings:
            self._fill(each)
        return [True] * len(fillings)

    def floor(self, key: int) -> int:
        return 0


class Forgetful(FakeCache):
    """Sets floors, but leaves what is older where it is."""

    async def raise_floor(self, key: int, version: int) -> None:
        kept = self._bodies.get(key)
        await super().raise_floor(key, version)
        if kept is not None:
            self._bodies[key] = kept


@pytest.mark.parametrize("defect", [WithoutFloors, Forgetful])
def test_a_cache_without_the_rules_is_found_out(defect: Callable[[Clock], FakeCache]) -> None:
    assert any(with_redis(Random(seed), defect).breaches for seed in range(SEEDS))


@pytest.mark.parametrize(("bound", "seconds"), [("PROCESS_SECONDS", 4.0), ("FLIGHT_SECONDS", 6.0)])
def test_longer_lives_are_found_out(monkeypatch: pytest.MonkeyPatch, bound: str, seconds: float) -> None:
    monkeypatch.setattr(read_through, bound, seconds)

    assert any(with_redis(Random(seed)).breaches for seed in range(SEEDS))
