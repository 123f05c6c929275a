"""Keeps an endless task going: when it ends or fails, that is logged and counted, and it starts again after a pause."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

SHORTEST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# What ran so long was well: the next pause is the shortest again.
WELL_SECONDS = 60.0

log = structlog.get_logger()


async def supervise(
    run: Callable[[], Awaitable[None]],
    *,
    on_crash: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Run what has no end until this task is cancelled, anew each time that it ends.

    Args:
        run: starts it.
        on_crash: is called each time that it ended or failed.
        clock: says the time in seconds.
        pause: waits for so many seconds.
    """
    seconds = SHORTEST_PAUSE_SECONDS
    while True:
        begun = clock()
        try:
            await run()
            log.error("endless_task_ended")
        except Exception:
            log.exception("endless_task_crashed")
        on_crash()
        if clock() - begun >= WELL_SECONDS:
            seconds = SHORTEST_PAUSE_SECONDS
        await pause(seconds)
        seconds = min(seconds * 2, LONGEST_PAUSE_SECONDS)
