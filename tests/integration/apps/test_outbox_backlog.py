"""What a process learns about its primary that only reads: from measuring the outbox (R5, R18)."""

import asyncio

import pytest

from doorbuster.infra.mysql.database import Database
from doorbuster.infra.outbox.outbox_backlog import Backlog, watch_backlog
from doorbuster.settings import Settings
from tests.integration.apps.relays import read_only
from tests.integration.apps.servers import Servers

pytestmark = pytest.mark.integration


async def test_a_server_that_may_not_write_any_more_is_not_read_from_as_the_primary(
    empty_tables: Settings, servers: Servers
) -> None:
    database = Database(empty_tables.mysql, reader_pool_size=1)
    seen: asyncio.Queue[Backlog | None] = asyncio.Queue()
    watch = asyncio.create_task(watch_backlog(database, seen.put_nowait, every_seconds=0.01))
    try:
        async with asyncio.timeout(10):
            assert await seen.get() == Backlog(rows=0, oldest_age_seconds=0)
            with read_only(servers):
                while await seen.get() is not None:
                    pass
            while await seen.get() is None:
                pass
    finally:
        watch.cancel()
        await asyncio.wait({watch})
        await database.close()
