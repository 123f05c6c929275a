"""Waits until the API server serves the kind: kopf looks once for what it watches, and never again (P16)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from doorbuster_operator.handlers.roles import Namespace
from doorbuster_operator.handlers.threads import StillRuns, Threads
from doorbuster_operator.ports import OperatorError

PAUSE_SECONDS = 1.0
SECONDS_BETWEEN_LINES = 10.0

log = structlog.get_logger()


async def wait_until_served(
    namespaces: Sequence[Namespace],
    *,
    request_seconds: float,
    beat: Callable[[], None],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Return when the scalers of one of the namespaces could be listed.

    Has no end of its own: without the kind there is nothing to do, and it may be installed at any time.

    Args:
        namespaces: where scalers are looked for.
        request_seconds: longest time to wait for one answer.
        beat: is called after each look, so that waiting doesn't count as being stuck.
        pause: waits for so many seconds.
    """
    threads = Threads(len(namespaces))
    rounds = 0
    while True:
        reasons = [await _why_not(each, threads, request_seconds) for each in namespaces]
        beat()
        if None in reasons:
            log.info("kind_served", rounds=rounds)
            return
        if rounds % int(SECONDS_BETWEEN_LINES / PAUSE_SECONDS) == 0:
            log.warning("waits_for_kind", reasons=reasons)
        rounds += 1
        await pause(PAUSE_SECONDS)


async def _why_not(namespace: Namespace, threads: Threads, request_seconds: float) -> str | None:
    """Return why the scalers can't be listed; None if they can."""
    try:
        async with asyncio.timeout(request_seconds):
            await threads.run(namespace.objects.list_objects, name=namespace.name)
    except (OperatorError, StillRuns, TimeoutError) as error:
        return f"{namespace.name}: {type(error).__name__} {error}".rstrip()
    return None
