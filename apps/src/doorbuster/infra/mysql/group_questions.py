"""Asks the members of the MySQL group what they know: all at once, in bounded time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from asyncmy.errors import Error

from doorbuster.infra.mysql.bounded_connection import BoundedConnection, open_connection, session_statement
from doorbuster.infra.mysql.group_views import Backlog, Member, View
from doorbuster.settings import MySqlSettings

_MEMBERS = (
    "SELECT MEMBER_HOST, MEMBER_STATE, MEMBER_ROLE, MEMBER_ID = @@server_uuid"
    " FROM performance_schema.replication_group_members"
)
# The ages compare the clock of the member with that of the primary that committed.
_BACKLOG = """
SELECT
  (SELECT COALESCE(SUM(COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE), 0)
     FROM performance_schema.replication_group_member_stats WHERE MEMBER_ID = @@server_uuid),
  TIMESTAMPDIFF(MICROSECOND, COALESCE(
    MIN(IF(APPLYING_TRANSACTION <> '', APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, NULL)),
    MAX(IF(LAST_APPLIED_TRANSACTION <> '', LAST_APPLIED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, NULL))), NOW(6))
FROM performance_schema.replication_applier_status_by_worker
WHERE CHANNEL_NAME = 'group_replication_applier'"""
# Not allowed to read the table, no such table: a managed server. Whether its word is enough decides who asks.
_NO_GROUP_HERE = frozenset({1142, 1146})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a member says about the group and about its own backlog."""

    view: View
    backlog: Backlog


async def ask_for_view(host: str, settings: MySqlSettings) -> View | None:
    """Return what a server says about its group, over a connection of its own; None when it doesn't answer."""
    try:
        connection = await open_connection(host, settings, session=session_statement(settings, autocommit=True))
    except Error as error:
        log.debug("member_silent", host=host, error=str(error))
        return None
    try:
        return await _view_of(connection, host=host)
    except Error as error:
        log.debug("member_silent", host=host, error=str(error))
        return None
    finally:
        await connection.ensure_closed()


class StandingQuestion:
    """Asks one member after another how it stands, over a connection that is kept for the member asked last."""

    def __init__(self, settings: MySqlSettings) -> None:
        self._settings = settings
        self._host = ""
        self._connection: BoundedConnection | None = None

    async def ask(self, host: str) -> Standing | None:
        """Return what a member says about the group and itself; None when it doesn't answer."""
        try:
            return await _standing_of(await self._connected(host), host=host)
        except Error as error:
            log.debug("member_silent", host=host, error=str(error))
            return None

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.ensure_closed()
        self._connection = None

    async def _connected(self, host: str) -> BoundedConnection:
        if self._connection is None or self._host != host or not self._connection.usable:
            await self.close()
            session = session_statement(self._settings, autocommit=True)
            self._connection = await open_connection(host, self._settings, session=session)
            self._host = host
        return self._connection


async def _standing_of(connection: BoundedConnection, *, host: str) -> Standing:
    view = await _view_of(connection, host=host)
    ((waiting, microseconds),) = await _rows(connection, _BACKLOG)
    seconds = None if microseconds is None else int(microseconds) / 1_000_000
    return Standing(view=view, backlog=Backlog(waiting=int(waiting), oldest_seconds=seconds))


async def _view_of(connection: BoundedConnection, *, host: str) -> View:
    try:
        rows = await _rows(connection, _MEMBERS)
    except Error as error:
        if error.args[:1] and error.args[0] in _NO_GROUP_HERE:
            return View(asked=host, members=())
        raise
    members = [Member(host=host, state=state, role=role, own=bool(own)) for host, state, role, own in rows]
    return View(asked=host, members=members)


Ask = Callable[[str], Awaitable[View | None]]
"""Asks the server with this host; None means that it didn't answer."""


async def ask_all(
    hosts: Sequence[str], ask: Ask, *, enough: Callable[[Sequence[View]], bool], within_seconds: float
) -> Sequence[View]:
    """Return the answers in the order of the hosts: all, or as many as are enough, or those that came in time."""
    tasks = [asyncio.ensure_future(ask(host)) for host in hosts]
    try:
        async with asyncio.timeout(within_seconds):
            for following in asyncio.as_completed(tasks):
                await following
                if enough(_answers(tasks)):
                    break
    except TimeoutError:
        log.debug("members_slow", answers=len(_answers(tasks)), asked=len(hosts))
    finally:
        answers = _answers(tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return answers


def _answers(tasks: Sequence[asyncio.Future[View | None]]) -> Sequence[View]:
    finished = [task.result() for task in tasks if task.done() and not task.cancelled() and task.exception() is None]
    return [view for view in finished if view is not None]


# The driver's rows have no types.
async def _rows(connection: BoundedConnection, statement: str) -> Sequence[Sequence[Any]]:
    async with connection.cursor() as cursor:
        await cursor.execute(statement)
        rows: Sequence[Sequence[Any]] = await cursor.fetchall()
    return rows
