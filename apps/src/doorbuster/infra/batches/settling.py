"""A batch of commands as one transaction, tried again unchanged while nobody knows what became of it (R2, R7)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from doorbuster.infra.jitter import pause
from doorbuster.kernel.errors import DoorbusterError, NotAccepted, OutcomeUnknown, PoisonMessage

_LONGEST_PAUSE_SECONDS = 0.1

T = TypeVar("T")
C = TypeVar("C")
O = TypeVar("O")  # noqa: E741  # what comes out

log = structlog.get_logger()


async def all_settled(
    part: Sequence[C], attempt: Callable[[Sequence[C]], Awaitable[Sequence[O]]], *, settle_seconds: float
) -> Sequence[O | DoorbusterError]:
    """Return for each command, in their order, its outcome, or the error that its caller is to see.

    A part with a command that can never succeed is halved until that command is alone.

    Args:
        part: the commands of a batch.
        attempt: returns the outcomes of the commands that it is given, by one transaction that does the same whenever
            it is repeated.
        settle_seconds: so long a part whose outcome is unknown is tried again; as long as callers wait.
    """
    try:
        return await settled(lambda: attempt(part), settle_seconds=settle_seconds)
    except PoisonMessage as exc:
        if len(part) > 1:
            middle = len(part) // 2
            halves = part[:middle], part[middle:]
            return [each for half in halves for each in await all_settled(half, attempt, settle_seconds=settle_seconds)]
        log.exception("command_failed", poison=type(exc).__name__)
        return [exc]
    except (NotAccepted, OutcomeUnknown) as exc:
        return [exc] * len(part)


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
