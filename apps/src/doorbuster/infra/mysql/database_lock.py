"""One worker among several replicas: who holds a named lock on the primary works, the others stand by (R9).

The data plane doesn't depend on the Kubernetes API for this. MySQL gives the lock back when the connection that took
it ends, so a lost connection is a lost lock.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.telemetry import LOCK_HELD
from doorbuster.kernel.errors import DoorbusterError, NotAccepted, OutcomeUnknown
from doorbuster.kernel.pausing import pause_until

SEEK_SECONDS = 1.0
CHECK_SECONDS = 1.0
ANSWER_SECONDS = 2.0

# MySQL itself ends the session of a holder that vanished without a word: its connection would stay open for hours, and
# with it the lock. Longer than a check and its answer take together.
_EXPIRE = text("SET SESSION wait_timeout = 10")
# Two databases of one server have locks of their own.
_TAKE = text("SELECT GET_LOCK(CONCAT(DATABASE(), '.', :name), 0)")
# A write of nothing: no message has this number. It proves at once that the session lives, and so does its lock, and
# that the server is still the primary: one that became a secondary keeps its connections and their locks, and would be
# read from for ever. Its refusal (1290) makes the pool look for the new primary (R18).
PROVE_PRIMARY = text("DELETE FROM outbox WHERE seq = 0")

log = structlog.get_logger()


class LockLost(DoorbusterError):
    """The lock's connection is gone, or its server is no longer the primary."""


class Readings(Protocol):
    """Opens connections to the primary on which each statement stands for itself."""

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Return a connection of the caller's own; raises PrimaryUnavailable."""
        ...


class HeldLock:
    """The lock while it is held; `confirm` proves it again."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Take what the lock was taken with."""
        self._connection = connection
        self._one_at_a_time = asyncio.Lock()

    async def confirm(self) -> None:
        """Return if the lock is still ours.

        Raises:
            LockLost: its connection doesn't answer within ANSWER_SECONDS, or its server isn't the primary any more.
        """
        async with self._one_at_a_time:
            await _ask(self._connection, PROVE_PRIMARY)


Work = Callable[[HeldLock], Coroutine[None, None, None]]


class DatabaseLock:
    """A named lock on the primary, held on a connection of its own."""

    def __init__(
        self,
        database: Readings,
        name: str,
        *,
        seek_seconds: float = SEEK_SECONDS,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        """Take nothing yet.

        Args:
            database: where the lock is; one of its connections is kept while the lock is held.
            name: which lock, up to 30 characters.
            seek_seconds: about how often a lock that another holds is asked for.
            check_seconds: how often a held lock is confirmed while the work runs.
        """
        self._database = database
        self._name = name
        self._seek_seconds = seek_seconds
        self._check_seconds = check_seconds
        self._held = False
        self._show(held=False)

    @property
    def held(self) -> bool:
        """Whether this process is the one that works."""
        return self._held

    async def run(self, work: Work, *, stop: asyncio.Event) -> None:
        """Seek the lock, run the work while it is held, seek it again when it was lost; until told to stop.

        The work ends by itself soon after `stop` is set. It is cancelled when the lock is lost. When it raises
        NotAccepted, OutcomeUnknown or LockLost, the lock is given back and sought again; other errors are passed on.
        """
        while not stop.is_set():
            try:
                async with self._database.reading() as connection:
                    await self._work_if_free(connection, work)
            except (NotAccepted, OutcomeUnknown, LockLost) as exc:
                log.warning("lock_given_up", lock=self._name, cause=str(exc))
            pause = self._seek_seconds * random.uniform(0.5, 1.5)  # noqa: S311  # jitter keeps no secret
            await pause_until(stop, at_most_seconds=pause)

    async def _work_if_free(self, connection: AsyncConnection, work: Work) -> None:
        if not await _ask(connection, _TAKE, self._name):
            return
        try:
            await _ask(connection, _EXPIRE)
            await _ask(connection, PROVE_PRIMARY)
            self._show(held=True)
            log.info("lock_taken", lock=self._name)
            await self._work_while_held(HeldLock(connection), work)
        finally:
            self._show(held=False)
            # The pool must not get it back: it would go on holding the lock.
            await connection.invalidate()
            log.info("lock_left", lock=self._name)

    async def _work_while_held(self, lock: HeldLock, work: Work) -> None:
        task = asyncio.create_task(work(lock))
        try:
            while not (await asyncio.wait({task}, timeout=self._check_seconds))[0]:
                await lock.confirm()
            task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _show(self, *, held: bool) -> None:
        self._held = held
        LOCK_HELD.labels(self._name).set(held)


async def _ask(connection: AsyncConnection, statement: TextClause, name: str | None = None) -> bool:
    """Return whether the server's answer is 1; no rows are a yes.

    Raises:
        LockLost: no answer. The connection is of no use afterwards.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            result = await connection.execute(statement, {} if name is None else {"name": name})
    except (SQLAlchemyError, OSError) as exc:
        await connection.invalidate()
        raise LockLost(f"the lock's connection is of no use: {type(exc).__name__}") from exc
    return not result.returns_rows or result.scalar() == 1
