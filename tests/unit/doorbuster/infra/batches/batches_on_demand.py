"""A use case for the coalescer's tests, whose batches end when the test says so."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from doorbuster.infra.batches.coalescer import Coalescer, Limits

LONG = 5.0


class Batches:
    """A use case whose batches end when the test says so."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.gate = asyncio.Event()
        self.outcome: Callable[[int], Any] = lambda item: item * 10

    async def __call__(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.seen.append(list(items))
        await self.gate.wait()
        return [self.outcome(item) for item in items]


def coalescer(batches: Any, **limits: int) -> Coalescer[int, int]:
    return Coalescer(batches, name="test", limits=Limits(**limits))


def submitted(
    queue: Coalescer[int, int], item: int, *, user: int | None = None, deadline_seconds: float = LONG
) -> asyncio.Task[int]:
    return asyncio.create_task(
        queue.submit(item, user=item if user is None else user, deadline_seconds=deadline_seconds)
    )


async def turns(number: int = 10) -> None:
    """Let everything run that can run now."""
    for _ in range(number):
        await asyncio.sleep(0)
