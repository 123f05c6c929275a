"""Transactions and reads on the MySQL group (R2, R5, R7, R8).

A transaction costs the round trips of its statements and of its COMMIT, nothing else. What an error leaves behind is
known exactly: nothing was written (`NotAccepted`, `DataRefused`), or COMMIT was sent and its effect isn't known
(`OutcomeUnknown`).
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.awaiting import outlast_cancellation
from doorbuster.infra.mysql.group_questions import StandingQuestion, ask_for_view
from doorbuster.infra.mysql.pools import Lease, Pool
from doorbuster.infra.mysql.primary import Primary
from doorbuster.infra.mysql.secondaries import Secondaries
from doorbuster.infra.mysql.sql_errors import CONFLICTS, Fault, fault_of, number_of, sqlstate_of, surely_not_committed
from doorbuster.infra.telemetry import DATABASE_CONFLICTS, DATABASE_TRANSACTIONS
from doorbuster.kernel.errors import DataRefused, DoorbusterError, NotAccepted, OutcomeUnknown, PrimaryUnavailable
from doorbuster.settings import MySqlSettings

log = structlog.get_logger()

_BEGIN_SNAPSHOT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)

# So that the metric is there at 0, and not missing, while all is well (R8).
for _number in CONFLICTS:
    DATABASE_CONFLICTS.labels(str(_number))


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    """What is known without asking anybody."""

    primary: str | None
    """The primary that was found last; None when none is known now."""
    checked_out: int
    """Connections for transactions that are in use."""
    size: int
    """Connections for transactions that there may be."""
    secondary: str | None = None
    """The secondary that catalogue reads go to; None when they go to the primary."""
    pools: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Of each pool, by its name, the connections that are in use and that there may be."""


class Database:
    """The MySQL group for one process and one event loop. Opens nothing until it is used."""

    def __init__(self, settings: MySqlSettings, *, reader_pool_size: int = 0) -> None:
        """Make the pools, empty.

        Args:
            settings: the hosts, the account and the limits.
            reader_pool_size: connections for `reading`, and again as many for `catalogue`; with 0, `reading` uses those
                for transactions and pays a round trip for ending each.
        """
        self._settings = settings
        self._primary = Primary(settings, ask=lambda host: ask_for_view(host, settings), monotonic=time.monotonic)
        self._standing = StandingQuestion(settings)
        self._secondaries = Secondaries(
            settings.hosts, ask=self._standing.ask, monotonic=time.monotonic, shuffled=_shuffled
        )
        self._writers = Pool(self._primary, settings, size=settings.pool_size, autocommit=False)
        self._readers = (
            Pool(self._primary, settings, size=reader_pool_size, autocommit=True) if reader_pool_size else self._writers
        )
        self._catalogue = Pool(self._secondaries, settings, size=max(1, reader_pool_size), autocommit=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection to the primary in a READ COMMITTED transaction that ends with the context (R8).

        It is committed when the body ends, and rolled back when the body raises; what the body raises passes through
        unless it is an error of the database. A statement that failed can't be passed over: its error comes again at
        the end. A cancellation that arrives while COMMIT is under way waits for the answer, which isn't longer than
        `transaction_seconds`.

        Raises:
            PrimaryUnavailable: there is no primary, or it was lost before COMMIT was sent; also errors that nobody
                knows (R7).
            Overloaded: all connections were in use for a second.
            NotAccepted: a deadlock or a lock that didn't come; nothing was written.
            DataRefused: the values can never be stored.
            OutcomeUnknown: COMMIT was sent, and what came of it isn't known. Repeat with the same ids (R2).
        """
        lease = await self._writers.lease()
        try:
            try:
                yield lease.connection
                lease.check()
            except BaseException as error:
                await _end_after(error, lease)
                raise
            await _commit(lease)
            DATABASE_TRANSACTIONS.labels("committed").inc()
        finally:
            await lease.give_back()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection to the primary on which each statement stands for itself (R5): for reads.

        Raises:
            PrimaryUnavailable: there is no primary, or it was lost.
            Overloaded: all connections were in use for a second.
        """
        async with _read_with(await self._readers.lease()) as connection:
            yield connection

    @asynccontextmanager
    async def catalogue(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for catalogue reads: to a secondary that is fit (R5), else to the primary.

        Raises:
            PrimaryUnavailable: there is no server for it, or it was lost.
            Overloaded: all connections were in use for a second.
        """
        async with _read_with(await self._catalogue_lease()) as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection on which all statements see one moment (R21): to a fit secondary, else to the primary.

        It can't write. Where it reads from is looked at anew, which takes a round trip or two.

        Raises:
            PrimaryUnavailable: there is no server for it, or it was lost.
            Overloaded: all connections were in use for a second.
        """
        await self._secondaries.looked()
        lease = await self._catalogue_lease()
        try:
            try:
                for statement in _BEGIN_SNAPSHOT:
                    await lease.connection.exec_driver_sql(statement)
                yield lease.connection
                await lease.connection.exec_driver_sql("COMMIT")
            except BaseException as error:
                # The pool must not get it back: the next one would read in the past.
                lease.discard()
                if isinstance(error, DBAPIError):
                    fault = fault_of(error)
                    lease.report(fault)
                    raise _named(fault, error) from error
                raise
        finally:
            await lease.give_back()

    def state(self) -> DatabaseState:
        """Return what is known without input or output."""
        pools = {"transactions": self._writers, "reads": self._readers, "catalogue": self._catalogue}
        return DatabaseState(
            primary=self._primary.known,
            checked_out=self._writers.checked_out,
            size=self._settings.pool_size,
            secondary=self._secondaries.known,
            pools={name: (pool.checked_out, pool.size) for name, pool in pools.items()},
        )

    async def close(self) -> None:
        """Close all connections; nobody may use one any more."""
        await self._secondaries.close()
        await self._standing.close()
        await self._primary.close()
        for pool in {self._writers, self._readers, self._catalogue}:
            await pool.close()

    async def _catalogue_lease(self) -> Lease:
        if self._secondaries.any_fit():
            try:
                return await self._catalogue.lease()
            except PrimaryUnavailable:
                log.info("secondary_lost")
        return await self._readers.lease()


@asynccontextmanager
async def _read_with(lease: Lease) -> AsyncIterator[AsyncConnection]:
    try:
        try:
            yield lease.connection
        except BaseException as error:
            await _end_after(error, lease)
            raise
        await _roll_back(lease)
    finally:
        await lease.give_back()


async def _end_after(error: BaseException, lease: Lease) -> None:
    """End a transaction without effect.

    Raises:
        DoorbusterError: the name of the error, if it is the database's.
    """
    failure = error if isinstance(error, DBAPIError) else lease.failure
    fault = None if failure is None else fault_of(failure)
    if fault is not None:
        lease.report(fault)
    if fault is Fault.PRIMARY_LOST or not isinstance(error, Exception):
        # One can't wait for a dead server, and somebody who is cancelled shouldn't.
        lease.discard()
    else:
        await _roll_back(lease)
    DATABASE_TRANSACTIONS.labels("rolled-back" if fault is None else fault.value).inc()
    if fault is not None and isinstance(error, DBAPIError):
        raise _named(fault, error) from error


async def _roll_back(lease: Lease) -> None:
    try:
        await lease.roll_back()
    except DBAPIError as error:
        # The server rolls back by itself; what comes next on this lease's way up is the caller's own error or result.
        log.info("rollback_failed", number=number_of(error))
        lease.report(fault_of(error))


async def _commit(lease: Lease) -> None:
    # A task of its own: cancelling the one that waits for it must not leave a COMMIT on its way without a witness.
    task = asyncio.create_task(lease.connection.commit(), name="commit")
    await outlast_cancellation(task)
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is None:
        return
    lease.discard()
    if isinstance(error, DBAPIError):
        fault = fault_of(error)
        lease.report(fault)
        if surely_not_committed(error):
            DATABASE_TRANSACTIONS.labels(fault.value).inc()
            raise _named(fault, error) from error
    DATABASE_TRANSACTIONS.labels("outcome-unknown").inc()
    log.warning("outcome_unknown", cause=type(error).__name__)
    raise OutcomeUnknown("COMMIT was sent, and no answer told what came of it") from error


def _named(fault: Fault, error: DBAPIError) -> DoorbusterError:
    # Never with the server's words: they quote values.
    number = number_of(error)
    what = f"MySQL error {number}, SQLSTATE {sqlstate_of(error)}"
    if fault is Fault.DATA_REFUSED:
        return DataRefused(what)
    if fault is Fault.CONFLICT:
        DATABASE_CONFLICTS.labels(str(number)).inc()
        log.warning("database_conflict", number=number)
    if fault in {Fault.CONFLICT, Fault.REPEATED}:
        return NotAccepted(what)
    log.warning("database_failed", fault=fault.value, number=number)
    return PrimaryUnavailable(what)


def _shuffled(hosts: Sequence[str]) -> Sequence[str]:
    return random.sample(hosts, len(hosts))
