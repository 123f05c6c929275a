import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.database_lock import DatabaseLock
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.infra.outbox.upkeep import keep_purging
from doorbuster.kernel.errors import PrimaryUnavailable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A database that knows only the time, and is gone at first for so many transactions."""

    def __init__(self, *, gone: int = 0) -> None:
        self._gone = gone

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        if self._gone:
            self._gone -= 1
            raise PrimaryUnavailable("gone")
        yield cast("AsyncConnection", self)

    async def execute(self, _: object) -> SimpleNamespace:
        return SimpleNamespace(scalar_one=lambda: NOW)


@pytest.fixture
def purged(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    moments: list[datetime] = []

    async def purge(_: Transactions, now: datetime) -> Mapping[str, int]:
        moments.append(now)
        return {"outbox": 1}

    monkeypatch.setattr("doorbuster.infra.outbox.upkeep.purge", purge)
    return moments


async def run(database: Clock, *, held: bool, purged: list[datetime]) -> None:
    lock = cast("DatabaseLock", SimpleNamespace(held=held))
    task = asyncio.create_task(keep_purging(database, lock, pause_seconds=0.001))
    for _ in range(200):
        if purged:
            break
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_holds_the_lock_purges_by_the_databases_clock(purged: list[datetime]) -> None:
    await run(Clock(), held=True, purged=purged)

    assert purged[0] == NOW


async def test_who_stands_by_purges_nothing(purged: list[datetime]) -> None:
    await run(Clock(), held=False, purged=purged)

    assert purged == []


async def test_a_database_that_was_gone_is_purged_later(purged: list[datetime]) -> None:
    await run(Clock(gone=2), held=True, purged=purged)

    assert purged[0] == NOW
