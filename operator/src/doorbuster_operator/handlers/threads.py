"""Runs blocking calls beside the event loop, so many at a time, and each by its name only once.

Threads are daemons: a call that hangs doesn't keep the process from ending, as one in the library's own pool would.
"""

import asyncio
import threading
from collections.abc import Callable, Set
from contextlib import suppress
from functools import partial
from typing import TypeVar

Result = TypeVar("Result")


class StillRuns(Exception):
    """The call of this name was given up before and hasn't returned yet."""


class Threads:
    """A bounded number of threads, one for each call that runs."""

    def __init__(self, most: int) -> None:
        """Allow so many calls at a time."""
        self._free = asyncio.Semaphore(most)
        self._running: set[str] = set()

    @property
    def running(self) -> Set[str]:
        """Names of the calls that haven't returned, also of those that nobody waits for any more."""
        return frozenset(self._running)

    async def run(self, call: Callable[[], Result], *, name: str) -> Result:
        """Return what the call returns. Cancelled, it gives up waiting: the call runs on and keeps its thread.

        Raises:
            StillRuns: so does the last call of this name; then nothing was called.
            Exception: whatever the call raises.
        """
        if name in self._running:
            raise StillRuns(name)
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Result] = loop.create_future()
        self._running.add(name)
        ended = partial(self._end, name, outcome)
        threading.Thread(target=_call, args=(loop, call, ended), name=name, daemon=True).start()
        return await outcome

    def _end(
        self, name: str, outcome: asyncio.Future[Result], result: Result | None, error: BaseException | None
    ) -> None:
        self._running.discard(name)
        self._free.release()
        if outcome.cancelled():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type]  # None only where the call returns None


def _call(
    loop: asyncio.AbstractEventLoop,
    call: Callable[[], Result],
    ended: Callable[[Result | None, BaseException | None], None],
) -> None:
    try:
        result, error = call(), None
    except BaseException as raised:  # noqa: BLE001 - whoever waits gets it
        result, error = None, raised
    # The loop may have ended while the call hung; then nobody waits.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(ended, result, error)
