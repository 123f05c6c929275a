import asyncio
from collections.abc import Sequence

import pytest

from doorbuster.infra.cache.bounds import FLIGHT_SECONDS, NEGATIVE_SECONDS, PROCESS_SECONDS, SHARED_SECONDS, shortened
from doorbuster.infra.cache.byte_cache import ByteCache
from doorbuster.infra.cache.coalesced_cache import CoalescedCache
from doorbuster.infra.cache.entries import Entry, pack
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.read_through import ReadThrough
from doorbuster.infra.cache.shared_cache import Filling
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.kernel.errors import Overloaded, PrimaryUnavailable
from tests.unit.doorbuster.infra.cache.fake_cache import Clock, FakeCache


def copy(version: int) -> Entry:
    return Entry(version=version, body=b"%d" % version)


class Source:
    """A database whose secondary may lag; counts what it is asked, and waits if it is told to."""

    def __init__(self) -> None:
        self.primary: dict[int, int] = {1: 1}
        self.secondary: dict[int, int] = {1: 1}
        self.asked: list[str] = []
        self.failure: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def usual(self, key: int) -> Entry | None:
        return await self._answer("usual", self.secondary.get(key))

    async def newest(self, key: int) -> Entry | None:
        return await self._answer("newest", self.primary.get(key))

    async def _answer(self, what: str, version: int | None) -> Entry | None:
        self.asked.append(what)
        await self.may_answer.wait()
        if self.failure is not None:
            raise self.failure
        return None if version is None else copy(version)


class Place:
    """One process and what is behind it."""

    def __init__(self, *, process: bool = True, shared: bool = True) -> None:
        self.clock, self.source = Clock(), Source()
        self.fake = FakeCache(self.clock)
        cache = CoalescedCache(
            self.fake,
            Guard(Circuits(Dependency.REDIS, clock=self.clock), "test"),
            kind="test",
            is_body_of=lambda _, body: body.isdigit(),
        )
        self.process = ByteCache(self.clock) if process else None
        self.near = ReadThrough(
            self.source,
            process=self.process,
            shared=cache if shared else None,
            clock=self.clock,
            chance=lambda: 1.0,
        )

    async def version(self, key: int = 1) -> int | None:
        entry = await self.near.find(key)
        return None if entry is None else entry.version

    async def change(self, version: int, *, told: bool = True) -> None:
        """Write a version of key 1 that the secondary doesn't have yet, and acknowledge it."""
        self.source.primary[1] = version
        await self.fake.raise_floor(1, version)
        if told:
            self.near.changed(1)


@pytest.fixture
def place() -> Place:
    return Place()


async def test_a_copy_is_read_from_the_nearest_place_that_has_it(place: Place) -> None:
    assert [await place.version() for _ in range(3)] == [1, 1, 1]
    assert (place.source.asked, place.fake.asked) == (["usual"], 2)

    place.clock.pass_by(PROCESS_SECONDS)
    assert await place.version() == 1
    assert (place.source.asked, place.fake.asked) == (["usual"], 3)

    place.clock.pass_by(SHARED_SECONDS)
    assert await place.version() == 1
    assert place.source.asked == ["usual", "usual"]


async def test_a_thousand_who_miss_at_once_are_one_read(place: Place) -> None:
    found = await asyncio.gather(*(place.version() for _ in range(1_000)))

    assert set(found) == {1}
    assert (place.source.asked, place.fake.asked) == (["usual"], 2)


async def test_that_nothing_is_there_is_kept_for_a_moment_in_the_process_alone(place: Place) -> None:
    assert [await place.version(9) for _ in range(3)] == [None, None, None]
    assert place.source.asked == ["usual"]

    place.clock.pass_by(NEGATIVE_SECONDS)
    place.source.secondary[9] = 1
    assert await place.version(9) == 1


async def test_what_a_secondary_knows_under_the_floor_is_read_again_from_the_primary(place: Place) -> None:
    await place.change(2)

    assert await place.version() == 2
    assert place.source.asked == ["usual", "newest"]
    # And that one is shared.
    assert await place.fake.find([1]) == {1: pack(copy(2))}


async def test_what_redis_has_newer_is_not_replaced_by_what_a_secondary_knows(place: Place) -> None:
    place.source.primary[1] = 2
    place.source.may_answer.clear()
    reading = asyncio.create_task(place.version())
    await asyncio.sleep(0.01)
    await place.fake.fill([Filling(key=1, entry=copy(2), seconds=10)])
    place.source.may_answer.set()

    assert await reading == 2
    assert await place.fake.find([1]) == {1: pack(copy(2))}


async def test_a_change_that_is_told_is_seen_at_once_and_one_that_is_not_within_a_second(place: Place) -> None:
    await place.version()
    await place.change(2)
    assert await place.version() == 2

    await place.change(3, told=False)
    assert await place.version() == 2
    place.clock.pass_by(PROCESS_SECONDS)
    assert await place.version() == 3


async def test_when_changes_may_have_been_missed_everything_is_dropped(place: Place) -> None:
    await place.version()
    await place.change(2, told=False)
    place.near.missed()

    assert await place.version() == 2


@pytest.mark.parametrize("tell", ["changed", "missed"])
async def test_what_is_declared_old_while_it_is_read_is_not_kept_and_not_joined(place: Place, tell: str) -> None:
    place.source.may_answer.clear()
    before = asyncio.create_task(place.version())
    await asyncio.sleep(0.01)
    await place.change(2, told=False)
    place.source.secondary[1] = 2
    place.near.changed(1) if tell == "changed" else place.near.missed()
    after = asyncio.create_task(place.version())
    await asyncio.sleep(0.01)
    assert place.source.asked == ["usual", "usual"]
    place.source.may_answer.set()

    assert await after == 2
    await before
    assert await place.version() == 2


async def test_a_life_begins_with_the_reading_and_not_with_the_keeping(place: Place) -> None:
    place.source.may_answer.clear()
    reading = asyncio.create_task(place.version())
    await asyncio.sleep(0.01)
    place.clock.pass_by(0.9)
    place.source.may_answer.set()
    await reading
    await place.change(2, told=False)

    assert await place.version() == 1
    place.clock.pass_by(0.1)
    assert await place.version() == 2


async def test_what_took_too_long_is_not_shown(place: Place) -> None:
    place.source.may_answer.clear()
    reading = asyncio.create_task(place.version())
    await asyncio.sleep(0.01)
    place.clock.pass_by(FLIGHT_SECONDS + 0.01)
    place.source.may_answer.set()

    with pytest.raises(Overloaded):
        await reading


async def test_redis_that_is_away_costs_nobody_an_answer(place: Place) -> None:
    place.fake.away = True

    assert [await place.version(key) for key in (1, 1, 9)] == [1, 1, None]
    assert place.source.asked == ["usual", "usual"]


async def test_a_database_that_fails_fails_everybody_who_waits_and_nobody_later(place: Place) -> None:
    place.source.failure = PrimaryUnavailable("gone")
    ends = await asyncio.gather(*(place.version() for _ in range(5)), return_exceptions=True)
    assert [type(end) for end in ends] == [PrimaryUnavailable] * 5

    place.source.failure = None
    assert await place.version() == 1


async def test_a_reader_that_goes_away_takes_nothing_from_the_others(place: Place) -> None:
    place.source.may_answer.clear()
    first, second = (asyncio.create_task(place.version()) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    place.source.may_answer.set()

    assert await second == 1
    assert place.source.asked == ["usual"]


@pytest.mark.parametrize(
    ("process", "shared", "asked", "of_redis"),
    [(True, True, 1, 2), (True, False, 1, 0), (False, True, 1, 4), (False, False, 3, 0)],
)
async def test_each_level_can_be_switched_off(*, process: bool, shared: bool, asked: int, of_redis: int) -> None:
    place = Place(process=process, shared=shared)

    assert [await place.version() for _ in range(3)] == [1, 1, 1]
    assert (len(place.source.asked), place.fake.asked) == (asked, of_redis)
    place.near.changed(1)
    place.near.missed()


async def test_draining_waits_for_what_is_in_the_air(place: Place) -> None:
    place.source.may_answer.clear()
    reading = asyncio.create_task(place.version())
    await asyncio.sleep(0.01)
    draining = asyncio.create_task(place.near.drain())
    await asyncio.sleep(0.01)
    assert not draining.done()
    place.source.may_answer.set()
    await draining

    assert await reading == 1


@pytest.mark.parametrize("chances", [[0.0, 0.5, 1.0]])
def test_jitter_only_goes_downwards(chances: Sequence[float]) -> None:
    assert [shortened(10, chance) for chance in chances] == pytest.approx([8, 9, 10])
