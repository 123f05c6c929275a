from collections.abc import Iterator

import pytest

from doorbuster_operator.handlers.supervision import LONGEST_PAUSE_SECONDS, WELL_SECONDS, supervise


class Ended(BaseException):
    """The test has seen enough."""


class World:
    """A clock that only pauses and the work itself move, and work that fails after so many seconds each time."""

    def __init__(self, lasts: Iterator[float], error: Exception | None) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.crashes = 0
        self._lasts = lasts
        self._error = error

    async def work(self) -> None:
        seconds = next(self._lasts, None)
        if seconds is None:
            raise Ended
        self.now += seconds
        if self._error is not None:
            raise self._error

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def crashed(self) -> None:
        self.crashes += 1


async def pauses_after(*lasts: float, error: Exception | None = RuntimeError("a bug")) -> list[float]:  # noqa: B008
    world = World(iter(lasts), error)
    with pytest.raises(Ended):
        await supervise(world.work, on_crash=world.crashed, clock=lambda: world.now, pause=world.pause)
    assert world.crashes == len(lasts)
    return world.pauses


async def test_what_fails_starts_again_after_longer_and_longer_pauses() -> None:
    assert await pauses_after(*[0.1] * 7) == [1, 2, 4, 8, 16, 30, LONGEST_PAUSE_SECONDS]


async def test_what_ends_without_an_error_starts_again_too() -> None:
    assert await pauses_after(0.1, 0.1, error=None) == [1, 2]


async def test_what_was_well_for_long_starts_again_soon() -> None:
    assert await pauses_after(0.1, 0.1, WELL_SECONDS, 0.1) == [1, 2, 1, 2]
