"""Waits for what must not be given up half-way."""

import asyncio
from typing import Any


async def outlast_cancellation(task: asyncio.Task[None]) -> None:
    """Wait until a task has ended, also when the one who waits is cancelled meanwhile. The task must end by itself.

    The cancellation isn't lost: it comes again at the next point where the caller waits. When a time-out caused it
    that ends before, it doesn't.
    """
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        # Not at once: a time-out's scope first has the chance to end, which takes its cancellation back.
        asyncio.get_running_loop().call_soon(_cancel_again, asyncio.current_task())


def _cancel_again(waiter: asyncio.Task[Any] | None) -> None:  # as asyncio types it
    if waiter is not None and not waiter.done() and waiter.cancelling():
        waiter.uncancel()
        waiter.cancel()
