"""A connection to MySQL on which no wait is endless: asyncmy's, with a bound on every answer (R2).

asyncmy has a `read_timeout`, but it makes a task for each wait, and on a time-out it waits without an end until what it
still has to send is sent. Here a timer drops the connection, and whoever waits for the answer reads error 2013.
"""

import asyncio
from collections.abc import Callable

from asyncmy.connection import Connection
from asyncmy.constants import CLIENT
from asyncmy.errors import Error, OperationalError

from doorbuster.infra.mysql.sql_errors import CANNOT_CONNECT
from doorbuster.settings import MySqlSettings

_QUIT = b"\x01\x00\x00\x00\x01"


class BoundedConnection(Connection):
    """Drops itself when an answer takes too long; closing it never waits."""

    # What asyncmy's stubs leave out. The tests of this module fail when a release of it changes them.
    _client_flag: int
    _connected: bool
    _connect_timeout: float | None
    _transport: asyncio.Transport | None
    _write_bytes: Callable[[bytes], None]

    def __init__(self, host: str, settings: MySqlSettings) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            host=host,
            port=settings.port,
            user=settings.user,
            password=settings.password.get_secret_value(),
            database=settings.database,
            # The numbers of rows that an UPDATE matched, as SQLAlchemy expects.
            client_flag=CLIENT.FOUND_ROWS,
            autocommit=None,
        )
        # `open_connection` has a bound for all of it. asyncmy's own waits by `wait_for`, which in Python 3.11 loses a
        # cancellation that comes when the connection does (<https://github.com/python/cpython/issues/86296>).
        self._connect_timeout = None
        # Nobody needs several statements in one text, except who injects one.
        self._client_flag &= ~CLIENT.MULTI_STATEMENTS
        self._answer_seconds = settings.transaction_seconds
        self.generation = 0
        """Which finding of the server it belongs to; the pool compares it."""
        self.failure: BaseException | None = None
        """The first error of a statement in the transaction at hand; None when there was none."""

    @property
    def usable(self) -> bool:
        """Whether neither side has closed it, as far as this side knows: no input or output."""
        return self._connected and self._transport is not None and not self._transport.is_closing()

    def abort(self) -> None:
        """Drop the connection now, whatever is under way on it."""
        if self._transport is not None:
            self._transport.abort()
        self.close()

    async def ensure_closed(self) -> None:
        """Say goodbye and close, without waiting for either."""
        if self.usable and self._transport is not None and not self._transport.get_write_buffer_size():
            self._write_bytes(_QUIT)
            self.close()
        else:
            self.abort()

    async def _fill_buffer(self, need: int) -> None:
        timer = asyncio.get_running_loop().call_later(self._answer_seconds, self.abort)
        try:
            await super()._fill_buffer(need)  # type: ignore[misc]
        finally:
            timer.cancel()


async def open_connection(host: str, settings: MySqlSettings, *, session: str) -> BoundedConnection:
    """Return a new connection whose session has its settings.

    Args:
        host: the server.
        settings: port, account, and the time that all of this may take.
        session: the statement that sets the session's variables.

    Raises:
        asyncmy.errors.Error: the server didn't answer in time, or refused.
    """
    connection = BoundedConnection(host, settings)
    try:
        async with asyncio.timeout(settings.connect_seconds):
            await connection.connect()
            await connection.query(session)  # type: ignore[no-untyped-call]
    except TimeoutError as error:
        connection.abort()
        raise OperationalError(CANNOT_CONNECT, f"no connection within {settings.connect_seconds} s") from error
    except BaseException as error:
        connection.abort()
        if isinstance(error, Error) or not isinstance(error, Exception):
            raise
        # What no MySQL would send makes the driver stumble in ways of its own.
        raise OperationalError(CANNOT_CONNECT, f"{host} doesn't greet as MySQL does") from error
    return connection


def session_statement(settings: MySqlSettings, *, autocommit: bool) -> str:
    """Return the statement that each connection begins with.

    READ COMMITTED and short waits for locks: R8. Strict, so that a value that doesn't fit is refused and not trimmed.
    The server ends reads by itself just before we give up on them; it can't do that for writes (R2).
    """
    milliseconds = max(1, int(settings.transaction_seconds * 900))
    return (
        "SET time_zone = '+00:00', transaction_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = 1, sql_mode = "
        "'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
        f"NO_ENGINE_SUBSTITUTION', max_execution_time = {milliseconds}, autocommit = {int(autocommit)}"
    )
