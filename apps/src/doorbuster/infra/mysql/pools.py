"""A pool of connections to one server that may change, and a connection that was lent from it.

SQLAlchemy's pool does the queueing. Its resets are off: a reset would cost every transaction a round trip, and a lease
ends each transaction itself or drops the connection.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from asyncmy.errors import Error
from sqlalchemy import event
from sqlalchemy.engine.interfaces import AdaptedConnection, ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from doorbuster.infra.mysql.bounded_connection import BoundedConnection, open_connection, session_statement
from doorbuster.infra.mysql.sql_errors import Fault
from doorbuster.kernel.errors import Overloaded, PrimaryUnavailable
from doorbuster.settings import MySqlSettings

# Longer than a usual transaction by two orders of magnitude: who waits that long is better told to come back.
MOST_SECONDS_IN_QUEUE = 1.0


class Server(Protocol):
    """The server that a pool belongs to at a time."""

    @property
    def known(self) -> str | None:
        """Its host; None when it must be found first."""

    @property
    def generation(self) -> int:
        """Grows whenever all connections so far are of no use any more."""

    async def host(self) -> str:
        """Return its host; raises PrimaryUnavailable."""

    def forget(self, generation: int) -> None:
        """Take note that it isn't the right one any more, or can't be reached."""


class Pool:
    """At most so many connections, without overflow; it opens none before one is needed."""

    def __init__(self, server: Server, settings: MySqlSettings, *, size: int, autocommit: bool) -> None:
        self.size = size
        """Connections that there may be."""
        self._server = server
        self._settings = settings
        self._session = session_statement(settings, autocommit=autocommit)
        self._engine = create_async_engine(
            "mysql+asyncmy://",
            async_creator=self._open,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=MOST_SECONDS_IN_QUEUE,
            pool_reset_on_return=None,
            pool_pre_ping=False,
            skip_autocommit_rollback=True,
            # Errors go to the logs, values don't.
            hide_parameters=True,
        )
        event.listen(self._engine.sync_engine, "checkout", _checker(server))
        event.listen(self._engine.sync_engine, "handle_error", _note_failure)

    @property
    def checked_out(self) -> int:
        """Connections in use."""
        pool = self._engine.pool
        return pool.checkedout() if isinstance(pool, AsyncAdaptedQueuePool) else 0

    async def lease(self) -> "Lease":
        """Return a connection that works as far as this side knows.

        Raises:
            PrimaryUnavailable: there is no server to connect to.
            Overloaded: all connections were in use for too long.
        """
        try:
            connection = await self._engine.connect()
        except PoolTimeout as error:
            raise Overloaded("all connections to MySQL are in use") from error
        except (DBAPIError, InvalidRequestError) as error:
            # It went away while SQLAlchemy asked the first connection about it, or changed twice meanwhile.
            raise PrimaryUnavailable("the server went away while a connection was opened") from error
        return Lease(connection, self._server)

    async def close(self) -> None:
        """Close all connections that aren't in use."""
        await self._engine.dispose()

    async def _open(self) -> BoundedConnection:
        host = await self._server.host()
        generation = self._server.generation
        try:
            connection = await open_connection(host, self._settings, session=self._session)
        except Error as error:
            self._server.forget(generation)
            raise PrimaryUnavailable(f"cannot connect to {host}") from error
        connection.generation = generation
        return connection


class Lease:
    """One connection for one user at a time; whoever has it ends its transaction, and gives it back."""

    def __init__(self, connection: AsyncConnection, server: Server) -> None:
        self.connection = connection
        self._server = server
        self._driver = _driver_of(connection)
        self._driver.failure = None

    @property
    def failure(self) -> DBAPIError | None:
        """The first error of a statement; None when all succeeded. Nothing may be committed after one."""
        failure = self._driver.failure
        return failure if isinstance(failure, DBAPIError) else None

    def check(self) -> None:
        """Raise the error that was passed over, if there is one: half of a transaction must not be committed.

        Raises:
            DBAPIError: a statement failed.
        """
        if self.failure is not None:
            raise self.failure

    async def roll_back(self) -> None:
        """End the transaction without effect; drops the connection when that isn't possible."""
        try:
            await self.connection.rollback()
        except (DBAPIError, asyncio.CancelledError):
            self.discard()
            raise

    def discard(self) -> None:
        """Drop the connection, without waiting for anything: the server rolls back what it hasn't committed."""
        self._driver.abort()
        if self.connection.sync_connection is not None:
            self.connection.sync_connection.invalidate()

    def report(self, fault: Fault) -> None:
        """Have the whole pool dropped and the server looked for again, when the fault says so."""
        if fault is Fault.PRIMARY_LOST:
            self._server.forget(self._driver.generation)

    async def give_back(self) -> None:
        """Return the connection to the pool."""
        await self.connection.close()


def _driver_of(connection: AsyncConnection) -> BoundedConnection:
    driver = connection.sync_connection.connection.driver_connection if connection.sync_connection else None
    assert isinstance(driver, BoundedConnection)  # noqa: S101  # our creator made it
    return driver


def _checker(server: Server) -> Callable[[AdaptedConnection, ConnectionPoolEntry, PoolProxiedConnection], None]:
    # Takes the place of a ping before each use: it knows what a ping would find out, but for what happens just now.
    def check(connection: AdaptedConnection, _entry: ConnectionPoolEntry, _proxied: PoolProxiedConnection) -> None:
        driver = connection.driver_connection
        if not (isinstance(driver, BoundedConnection) and driver.usable and driver.generation == server.generation):
            raise DisconnectionError

    return check


def _note_failure(context: ExceptionContext) -> None:
    if context.connection is None or context.connection.invalidated:
        return
    driver = context.connection.connection.driver_connection
    if isinstance(driver, BoundedConnection) and driver.failure is None:
        driver.failure = context.sqlalchemy_exception
