import asyncio

import pytest

from doorbuster.infra.cache.snapshot import Snapshot


class World:
    """What is asked for, and the time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.asked = 0
        self.fails = False
        self.snapshot = Snapshot(self.ask, name="test", kept_seconds=2.0, clock=lambda: self.now)

    async def ask(self) -> int:
        self.asked += 1
        number = self.asked
        await asyncio.sleep(0)
        if self.fails:
            raise OSError("gone")
        return number


async def test_many_at_once_get_the_answer_to_one_question_until_it_is_old() -> None:
    world = World()

    assert await asyncio.gather(*(world.snapshot.value() for _ in range(50))) == [1] * 50
    world.now += 1.9
    assert await world.snapshot.value() == 1
    world.now += 0.1
    assert await world.snapshot.value() == 2


async def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    world = World()
    world.fails = True

    told = await asyncio.gather(*(world.snapshot.value() for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [OSError] * 3
    world.fails = False
    assert await world.snapshot.value() == 2


async def test_who_gives_up_ends_no_question_and_draining_waits_for_it() -> None:
    world = World()
    waiting = asyncio.create_task(world.snapshot.value())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    await world.snapshot.drain()
    assert (await world.snapshot.value(), world.asked) == (1, 1)
