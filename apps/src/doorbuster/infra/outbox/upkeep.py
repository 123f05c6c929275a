"""Deletes what needn't be kept any more, a little every minute (R12)."""

import asyncio

import structlog

from doorbuster.infra.mysql.database_lock import DatabaseLock
from doorbuster.infra.mysql.transactions import Transactions, database_time
from doorbuster.infra.outbox.retention import purge
from doorbuster.kernel.errors import DoorbusterError

PAUSE_SECONDS = 60.0

log = structlog.get_logger()


async def keep_purging(database: Transactions, lock: DatabaseLock, *, pause_seconds: float = PAUSE_SECONDS) -> None:
    """Purge once a pause while the lock is held, until cancelled: one replica of several does it."""
    while True:
        await asyncio.sleep(pause_seconds)
        if lock.held:
            await _purge_once(database)


async def _purge_once(database: Transactions) -> None:
    try:
        async with database.transaction() as connection:
            now = await database_time(connection)
        deleted = await purge(database, now)
    except DoorbusterError as exc:
        # The next minute goes on.
        log.warning("purge_failed", cause=str(exc))
        return
    log.info("purged", **deleted)
