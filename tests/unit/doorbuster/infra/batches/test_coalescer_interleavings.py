"""The coalescer under random interleavings: what must hold whoever comes, leaves, expires or fails, and when."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from doorbuster.infra.batches.coalescer import Coalescer, Limits
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown, Overloaded, PrimaryUnavailable

SEEDS = 60
CLIENTS = 80
LIMITS = Limits(max_items=5, max_waiting=20, per_user=2, in_flight=2)


@dataclass
class World:
    """A use case that behaves badly, and clients that do too."""

    dice: random.Random
    batches: list[tuple[int, ...]] = field(default_factory=list)
    running: int = 0
    failed: set[int] = field(default_factory=set)

    async def run(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(tuple(items))
        self.running += 1
        assert self.running <= LIMITS.in_flight
        try:
            await self.idle(self.dice.randrange(8))
            if self.dice.random() < 0.1:
                self.failed |= set(items)
                raise PrimaryUnavailable("no primary")
            return [NotAccepted("this one") if item % 17 == 0 else item for item in items]
        finally:
            self.running -= 1

    async def idle(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    async def client(self, queue: Coalescer[int, int], item: int) -> int:
        await self.idle(self.dice.randrange(40))
        deadline = self.dice.choice([0.0, 0.0005, 5.0, 5.0, 5.0])
        return await queue.submit(item, user=item % 13, deadline_seconds=deadline)

    async def leaver(self, task: asyncio.Task[int]) -> None:
        await self.idle(self.dice.randrange(60))
        task.cancel()


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_everyone_gets_an_end_and_it_is_his_own(seed: int) -> None:
    world = World(random.Random(seed))
    queue: Coalescer[int, int] = Coalescer(world.run, name="interleavings", limits=LIMITS)
    clients = [asyncio.create_task(world.client(queue, item)) for item in range(CLIENTS)]
    leavers = [asyncio.create_task(world.leaver(task)) for task in world.dice.sample(clients, CLIENTS // 5)]
    ends = await asyncio.wait_for(asyncio.gather(*clients, *leavers, return_exceptions=True), 20)
    await asyncio.wait_for(queue.drain(), 20)

    in_batches = [item for batch in world.batches for item in batch]
    assert len(in_batches) == len(set(in_batches)), "an item ran twice"
    assert all(0 < len(batch) <= LIMITS.max_items for batch in world.batches)
    for item, end in enumerate(ends[:CLIENTS]):
        _check(world, item, end, ran=item in in_batches)


def _check(world: World, item: int, end: object, *, ran: bool) -> None:
    match end:
        case int():
            assert end == item
            assert ran
        case Overloaded():
            assert not ran, "refused and yet done"
        case PrimaryUnavailable():
            assert item in world.failed
        case OutcomeUnknown() | NotAccepted():
            assert ran
        case _:
            assert isinstance(end, asyncio.CancelledError)
