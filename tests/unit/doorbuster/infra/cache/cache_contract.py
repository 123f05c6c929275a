"""What every shared cache promises: the fake and Redis' pass the same tests."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from doorbuster.infra.cache.entries import Entry, pack
from doorbuster.infra.cache.shared_cache import Filling, SharedCache

LONG_SECONDS = 20.0
SHORT_SECONDS = 0.05


class World(Protocol):
    """An empty shared cache."""

    @property
    def cache(self) -> SharedCache:
        """The cache."""
        ...

    async def write_raw(self, key: int, raw: bytes) -> None:
        """Have bytes under a key as another program could have left them."""

    async def told(self, count: int) -> list[int]:
        """Return the first so many keys that processes were told of since the test began."""
        ...

    async def until(self, reached: Callable[[], Awaitable[bool]]) -> None:
        """Let time pass until a state is reached."""


def filling(version: int, *, key: int = 1, seconds: float = LONG_SECONDS) -> Filling:
    return Filling(key=key, entry=entry(version), seconds=seconds)


def entry(version: int) -> Entry:
    return Entry(version=version, body=b'{"of version": %d}' % version)


async def version_in(world: World, key: int = 1) -> int | None:
    """The version that is there; None if there is nothing."""
    found = await world.cache.find([key])
    return int(found[key].split(b" ")[1]) if key in found else None


class SharedCacheContract:
    async def test_what_was_taken_is_found_and_nothing_else(self, world: World) -> None:
        taken = await world.cache.fill([filling(3), filling(1, key=2)])

        assert taken == [True, True]
        assert await world.cache.find([1, 2, 3]) == {1: pack(entry(3)), 2: pack(entry(1))}

    async def test_an_older_copy_is_refused_and_a_newer_one_taken(self, world: World) -> None:
        await world.cache.fill([filling(3)])

        assert await world.cache.fill([filling(2), filling(4)]) == [False, True]
        assert await version_in(world) == 4

    async def test_versions_are_compared_as_numbers(self, world: World) -> None:
        await world.cache.fill([filling(9)])

        assert await world.cache.fill([filling(10)]) == [True]
        assert await world.cache.fill([filling(9)]) == [False]

    async def test_a_copy_ends(self, world: World) -> None:
        await world.cache.fill([filling(1, seconds=SHORT_SECONDS)])

        async def has_ended() -> bool:
            return await version_in(world) is None

        await world.until(has_ended)

    async def test_a_copy_of_the_same_version_stays_longer(self, world: World) -> None:
        await world.cache.fill([filling(1, seconds=SHORT_SECONDS), filling(1, seconds=SHORT_SECONDS, key=2)])
        assert await world.cache.fill([filling(1)]) == [True]

        async def other_has_ended() -> bool:
            return await version_in(world, 2) is None

        await world.until(other_has_ended)
        assert await version_in(world) == 1

    async def test_a_floor_drops_what_is_older_and_takes_only_what_is_not(self, world: World) -> None:
        await world.cache.fill([filling(3)])
        await world.cache.raise_floor(1, 5)

        assert await version_in(world) is None
        assert await world.cache.fill([filling(4)]) == [False]
        assert await world.cache.fill([filling(5)]) == [True]
        assert await version_in(world) == 5

    async def test_a_floor_leaves_what_is_as_new(self, world: World) -> None:
        await world.cache.fill([filling(5)])
        await world.cache.raise_floor(1, 5)

        assert await version_in(world) == 5

    async def test_a_floor_never_falls(self, world: World) -> None:
        await world.cache.raise_floor(1, 5)
        await world.cache.raise_floor(1, 3)

        assert await world.cache.fill([filling(4)]) == [False]

    async def test_a_floor_is_of_one_key(self, world: World) -> None:
        await world.cache.raise_floor(1, 5)

        assert await world.cache.fill([filling(1, key=2)]) == [True]

    async def test_each_floor_is_told(self, world: World) -> None:
        await world.cache.raise_floor(7, 1)
        await world.cache.raise_floor(8, 1)

        assert await world.told(2) == [7, 8]

    async def test_what_is_no_copy_is_found_as_it_is_and_written_over(self, world: World) -> None:
        await world.write_raw(1, b"1 x {}")

        assert await world.cache.find([1]) == {1: b"1 x {}"}
        assert await world.cache.fill([filling(1)]) == [True]
        assert await version_in(world) == 1

    async def test_another_releases_copy_is_written_over(self, world: World) -> None:
        await world.write_raw(1, b"0 99 {}")

        assert await world.cache.fill([filling(1)]) == [True]

    async def test_a_floor_drops_what_is_no_copy(self, world: World) -> None:
        await world.write_raw(1, b"\xff\x00")
        await world.cache.raise_floor(1, 1)

        assert await version_in(world) is None
