"""Big writes in small transactions (R13): at most 2,000 rows each, and never faster than the group's members apply.

What is seeded here is its own checkpoint: a part writes only what is missing, so a run that was ended goes on where it
was, and another run changes nothing. Millions of rows have a checkpoint besides (`checkpointed_seeding`).
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.jitter import pause
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown
from doorbuster.kernel.pausing import pause_until

ROWS_IN_TRANSACTION = 2_000
# Members note what they have received some seconds late; more than this waiting means that one can't follow.
MOST_WAITING_TRANSACTIONS = 100
LONGEST_WAIT_SECONDS = 30.0
_ATTEMPTS = 20
_LONGEST_PAUSE_SECONDS = 1.0
_LOG_SECONDS = 2.0

_WAITING = text(
    "SELECT COALESCE(MAX(COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE), 0)"
    " FROM performance_schema.replication_group_member_stats"
)

log = structlog.get_logger()


class SeedPart(Protocol):
    """One kind of items, numbered from 1."""

    @property
    def name(self) -> str:
        """What the items are, for the log."""
        ...

    @property
    def count(self) -> int:
        """How many items there are to be."""
        ...

    @property
    def rows_per_item(self) -> int:
        """Most rows that an item is."""
        ...

    async def write(self, connection: AsyncConnection, numbers: range) -> int:
        """Insert those of the items that are missing, and return how many that were."""
        ...


@dataclass(slots=True)
class Progress:
    """How far a part has come, and how fast: logged every two seconds.

    Attributes:
        began_with: items that were there before, by a checkpoint: they say nothing about the rate.
    """

    part: SeedPart
    started: float
    logged: float
    written: int = 0
    began_with: int = 0

    def note(self, done: int, written: int) -> None:
        """Take so many items as done, of which so many were new in the last transaction."""
        self.written += written
        now = time.monotonic()
        if done < self.part.count and now - self.logged < _LOG_SECONDS:
            return
        self.logged = now
        rate = (done - self.began_with) / max(now - self.started, 0.001)
        log.info(
            "seeding",
            what=self.part.name,
            done=done,
            of=self.part.count,
            new=self.written,
            per_second=round(rate),
            rows_per_second=round(rate * self.part.rows_per_item),
            remaining_seconds=round((self.part.count - done) / rate) if rate else None,
        )


async def seed(database: Transactions, part: SeedPart) -> int:
    """Write the items of a part that are missing; return how many that were.

    Raises:
        NotAccepted: the database refused a transaction twenty times.
        OutcomeUnknown: the last of twenty attempts may have been committed; another run goes on from there.
    """
    started = time.monotonic()
    progress = Progress(part=part, started=started, logged=started)
    for numbers in _chunks(part):
        progress.note(numbers.stop - 1, await _write(database, part, numbers))
        await until_members_follow(database)
    return progress.written


def _chunks(part: SeedPart) -> Iterator[range]:
    step = ROWS_IN_TRANSACTION // part.rows_per_item
    for first in range(1, part.count + 1, step):
        yield range(first, min(first + step, part.count + 1))


async def _write(database: Transactions, part: SeedPart, numbers: range) -> int:
    for _ in range(_ATTEMPTS - 1):
        try:
            return await _write_once(database, part, numbers)
        except (NotAccepted, OutcomeUnknown) as exc:
            log.warning("seeding_tried_again", what=part.name, first=numbers.start, error=str(exc))
        await pause(_LONGEST_PAUSE_SECONDS)
    return await _write_once(database, part, numbers)


async def _write_once(database: Transactions, part: SeedPart, numbers: range) -> int:
    async with database.transaction() as connection:
        return await part.write(connection, numbers)


async def until_members_follow(database: Transactions, stop: asyncio.Event | None = None) -> None:
    """Wait while a member has many transactions to apply, but not for ever: it may be one that is about to leave.

    Args:
        database: asked about its group.
        stop: ends the wait as well.
    """
    stop = stop or asyncio.Event()
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline and not stop.is_set():
        try:
            async with database.transaction() as connection:
                waiting = int((await connection.execute(_WAITING)).scalar_one())
        except NotAccepted as exc:
            # A managed server may not tell; then its own replication is its own matter.
            log.debug("members_not_asked", error=str(exc))
            return
        if waiting <= MOST_WAITING_TRANSACTIONS:
            return
        log.info("seeding_waits_for_members", waiting=waiting)
        await pause_until(stop, at_most_seconds=_LONGEST_PAUSE_SECONDS)
