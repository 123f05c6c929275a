"""One transaction, tried again unchanged while nobody knows what became of it (R2)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from doorbuster.infra.jitter import pause
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown

_LONGEST_PAUSE_SECONDS = 0.1

T = TypeVar("T")

log = structlog.get_logger()


async def settled(attempt: Callable[[], Awaitable[T]], *, settle_seconds: float) -> T:
    """Return what an attempt returns; the same one again, on a fresh connection, while its outcome is unknown.

    Args:
        attempt: a whole transaction that does the same whenever it is repeated.
        settle_seconds: so long it is tried again; as long as callers wait.

    Raises:
        NotAccepted: nothing was written.
        OutcomeUnknown: perhaps it was.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settle_seconds
    unknown: OutcomeUnknown | None = None
    while True:
        try:
            return await attempt()
        except OutcomeUnknown as exc:
            unknown = exc
        except NotAccepted:
            # Once a COMMIT was sent, a later attempt that writes nothing says nothing about the first one.
            if unknown is None:
                raise
        log.warning("outcome_unknown_tried_again")
        if loop.time() >= deadline:
            raise unknown
        await pause(_LONGEST_PAUSE_SECONDS)
