"""Tasks that run beside something else and never longer."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager


@asynccontextmanager
async def in_background(*endless: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run endless coroutines while the context lasts; one that fails ends the context with its error.

    Raises:
        ExceptionGroup: what failed, in the context or beside it.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in endless]
        yield
        for task in tasks:
            task.cancel()
