"""Waits for states that a server is asked for."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.01


async def until(state: Callable[[], Awaitable[bool]], *, within_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when the state is reached.

    Raises:
        TimeoutError: it isn't in time.
    """
    async with asyncio.timeout(within_seconds):
        while not await state():  # noqa: ASYNC110  # states of servers, which tell nobody
            await asyncio.sleep(LOOK_SECONDS)
