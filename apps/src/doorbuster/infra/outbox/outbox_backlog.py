"""How much waits in the outbox, and for how long (R9, R17)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.database_lock import PROVE_PRIMARY, Readings
from doorbuster.infra.telemetry import OUTBOX_OLDEST_AGE_SECONDS, OUTBOX_ROWS
from doorbuster.kernel.errors import DoorbusterError

# The count stops here, so that it stays cheap in a long outage; R17 refuses orders long before.
MOST_COUNTED = 100_000

MEASURE_SECONDS = 1.0

# One statement is one snapshot. The first by `seq` is the oldest but for transactions that overlapped, and the index
# has it at hand. Ages are between two readings of the database's clock.
_MEASURE = text(
    "SELECT"
    " (SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT :most) AS waiting),"
    " (SELECT TIMESTAMPDIFF(MICROSECOND, created_at, UTC_TIMESTAMP(6)) FROM outbox"
    " WHERE published_at IS NULL ORDER BY seq LIMIT 1)"
)


log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits: rows, at most MOST_COUNTED, and the age of the oldest in seconds, 0 when none waits."""

    rows: int
    oldest_age_seconds: float


async def measure(connection: AsyncConnection) -> Backlog:
    """Return what waits in the outbox now; errors of the database are the caller's."""
    rows, age_microseconds = (await connection.execute(_MEASURE, {"most": MOST_COUNTED})).one()
    return Backlog(rows=rows, oldest_age_seconds=max(0, age_microseconds or 0) / 1e6)


async def watch_backlog(
    database: Readings, seen: Callable[[Backlog | None], None], *, every_seconds: float = MEASURE_SECONDS
) -> None:
    """Measure again and again until cancelled.

    Args:
        database: where the outbox is.
        seen: takes each measurement; None when the database gave none.
        every_seconds: the pause between two of them.
    """
    while True:
        seen(await _measure_or_none(database))
        await asyncio.sleep(every_seconds)


def show_backlog(backlog: Backlog | None) -> None:
    """Set the gauges of the outbox; what isn't known is not a number."""
    OUTBOX_ROWS.set(float("nan") if backlog is None else backlog.rows)
    OUTBOX_OLDEST_AGE_SECONDS.set(float("nan") if backlog is None else backlog.oldest_age_seconds)


async def _measure_or_none(database: Readings) -> Backlog | None:
    try:
        async with database.reading() as connection:
            # Without it a process that only reads would stay with a former primary (R5): its connections go on working.
            await connection.execute(PROVE_PRIMARY)
            return await measure(connection)
    except DoorbusterError as exc:
        log.warning("outbox_not_measured", cause=str(exc))
        return None
