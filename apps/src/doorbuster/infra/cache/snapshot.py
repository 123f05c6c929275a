"""What a process knows of something that many want to know: asked again, by one question, when it has become old."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Generic, TypeVar

T = TypeVar("T")


class Snapshot(Generic[T]):
    """An answer that is kept for a while; whoever wants it meanwhile, or while it is asked for, gets the same one."""

    def __init__(
        self, ask: Callable[[], Awaitable[T]], *, name: str, kept_seconds: float, clock: Callable[[], float]
    ) -> None:
        """Take what asks.

        Args:
            ask: returns the answer; what it raises, all get who wait for it, and the next one asks again.
            name: of the question's task.
            kept_seconds: for how long an answer counts, from the moment of the question.
            clock: seconds that only grow.
        """
        self._ask = ask
        self._name = name
        self._kept_seconds = kept_seconds
        self._clock = clock
        self._until = 0.0
        self._asking: asyncio.Task[T] | None = None

    async def value(self) -> T:
        """Return the answer; asks if there is none that is new enough."""
        if self._asking is None or (self._asking.done() and self._clock() >= self._until):
            # Everybody's question, so it logs with nobody's name.
            self._asking = asyncio.get_running_loop().create_task(self._look(), name=self._name, context=Context())
            self._asking.add_done_callback(_take_note)
        return await asyncio.shield(self._asking)

    async def drain(self) -> None:
        """Return when a question that is under way is answered."""
        if self._asking is not None:
            await asyncio.wait({self._asking})

    async def _look(self) -> T:
        asked_at = self._clock()
        # Only an answer is kept.
        self._until = 0.0
        answer = await self._ask()
        self._until = asked_at + self._kept_seconds
        return answer


def _take_note(asking: "asyncio.Task[T]") -> None:
    # Also when everybody who asked has gone.
    if not asking.cancelled():
        asking.exception()
