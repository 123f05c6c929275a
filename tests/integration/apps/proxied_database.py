"""A database that is reached through a proxy, and what its tests do with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.bounded_connection import BoundedConnection
from doorbuster.infra.mysql.database import Database
from doorbuster.settings import MySqlSettings, Settings
from tests.integration.tcp_proxy import TcpProxy

TRANSACTION_SECONDS = 0.5
# Anything of these tests that may take longer than this hangs.
PATIENCE_SECONDS = 10
TABLE = "database_test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A database that is reached through a proxy."""

    database: Database
    proxy: TcpProxy

    async def insert(self, number: int) -> None:
        async with self.database.transaction() as connection:
            await insert(connection, number)

    async def insert_then(self, step: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        async with self.database.transaction() as connection:
            await insert(connection, 1)
            await step(connection)

    async def numbers(self) -> list[int]:
        async with self.database.reading() as connection:
            return list((await connection.execute(text(f"SELECT id FROM {TABLE} ORDER BY id"))).scalars())


async def insert(connection: AsyncConnection, number: int) -> None:
    """Write a row, or nothing if it is there."""
    statement = text(f"INSERT INTO {TABLE} (id, times) VALUES (:id, 1) ON DUPLICATE KEY UPDATE id = id")
    await connection.execute(statement, {"id": number})


async def until(reached: Callable[[], bool]) -> None:
    """Wait for a state that has nobody who tells of it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not reached():  # noqa: ASYNC110  # states of the driver and the proxy, which tell nobody
            await asyncio.sleep(0.005)


async def driver_of(connection: AsyncConnection) -> BoundedConnection:
    """The driver below a lent connection."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, BoundedConnection)
    return driver


def through(proxy: TcpProxy, settings: Settings, **changes: float) -> MySqlSettings:
    """Settings that lead through the proxy, with little patience."""
    place = {"hosts": ("127.0.0.1",), "port": proxy.port, "transaction_seconds": TRANSACTION_SECONDS}
    return settings.mysql.model_copy(update=place | changes)


@asynccontextmanager
async def own_table(settings: Settings) -> AsyncIterator[None]:
    """The table exists while the context lasts."""
    direct = Database(settings.mysql.model_copy(update={"transaction_seconds": PATIENCE_SECONDS}))
    async with direct.transaction() as connection:
        await connection.execute(text(f"CREATE TABLE {TABLE} (id INT PRIMARY KEY, times TINYINT NOT NULL)"))
    yield
    async with direct.transaction() as connection:
        # A session that was given up may still hold the table.
        await connection.execute(text(f"SET lock_wait_timeout = {PATIENCE_SECONDS}"))
        await connection.execute(text(f"DROP TABLE {TABLE}"))
    await direct.close()


@asynccontextmanager
async def proxied(settings: Settings) -> AsyncIterator[Place]:
    """An empty table behind a proxy that passes everything on."""
    async with own_table(settings), TcpProxy(settings.mysql.hosts[0], settings.mysql.port) as proxy:
        database = Database(through(proxy, settings), reader_pool_size=1)
        yield Place(database=database, proxy=proxy)
        await database.close()
