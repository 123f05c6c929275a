"""Notices: short facts that processes tell each other through Redis, and that fade by themselves.

Who has a fault switched on, or a breaker open, says so every few seconds; the API shows it in its health. A process
that ends says nothing more, and after TTL_SECONDS its notices are gone. Nothing is decided by a notice, and without
Redis there simply is none: metrics and alerts don't need this.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from doorbuster.kernel.pausing import pause_until

EVERY_SECONDS = 2.0
# Three of them may be lost.
TTL_SECONDS = 8
ANSWER_SECONDS = 0.5
# Twenty processes with five facts each; more isn't shown to anybody.
MOST_NOTICES = 100

# Both by the server's clock, so that those of the pods don't matter. A sorted set by the time at which each fades.
_TELL = """
local now = tonumber(redis.call('TIME')[1])
for each = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[each]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""
_READ = """
local now = tonumber(redis.call('TIME')[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'LIMIT', 0, ARGV[1])
"""

log = structlog.get_logger()


class NoticeBoard(StrEnum):
    """What the notices are about; each has a key of its own."""

    FAULTS = "notices:faults"
    """`<process>/<fault>`."""
    BREAKERS = "notices:breakers"
    """`<dependency>=<state>`."""


async def tell(client: Redis, board: NoticeBoard, notices: Sequence[str]) -> None:
    """Put notices on the board; never raises because of Redis, and takes ANSWER_SECONDS at most."""
    if not notices:
        return
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await cast("Awaitable[object]", client.eval(_TELL, 1, board.value, str(TTL_SECONDS), *notices))
    except (RedisError, OSError, TimeoutError) as exc:
        log.info("notices_not_told", board=board.value, error=type(exc).__name__)


async def read(client: Redis, board: NoticeBoard) -> tuple[str, ...] | None:
    """Return the notices that haven't faded, sorted; None when Redis doesn't say within ANSWER_SECONDS."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            found = await cast("Awaitable[list[bytes]]", client.eval(_READ, 1, board.value, str(MOST_NOTICES)))
    except (RedisError, OSError, TimeoutError) as exc:
        log.info("notices_not_read", board=board.value, error=type(exc).__name__)
        return None
    return tuple(sorted(notice.decode("utf-8", "replace") for notice in found))


async def keep_telling(
    client: Redis, board: NoticeBoard, notices: Callable[[], Sequence[str]], stopping: asyncio.Event
) -> None:
    """Tell what `notices` returns, every two seconds until `stopping`."""
    while not stopping.is_set():
        await tell(client, board, notices())
        await pause_until(stopping, at_most_seconds=EVERY_SECONDS)
