"""Big writes with a checkpoint (R13): a row says how far a part has come, and is changed with each transaction's rows.

So a run that was ended goes on behind the last transaction that was committed, without looking at what is there, and
two runs at once take turns. Whether a transaction whose outcome isn't known was committed is seen from the same row.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.seeding import (
    ROWS_IN_TRANSACTION,
    Progress,
    SeedPart,
    until_members_follow,
)
from doorbuster.infra.mysql.tables import seed_checkpoints
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.errors import DataRefused, NotAccepted, OutcomeUnknown
from doorbuster.kernel.pausing import pause_until

ATTEMPTS = 20
LONGEST_PAUSE_SECONDS = 1.0

_COLUMNS = seed_checkpoints.c
_NOW = func.utc_timestamp(6)

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """How far a part has come in one run; the field names are those of the job's answer.

    Attributes:
        new: items that this run wrote.
        done: items 1 to this are there, of `of`.
    """

    part: str
    new: int
    done: int
    of: int
    seconds: float
    rows_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    done: int
    new: int


async def seed_on(database: Transactions, part: SeedPart, *, checkpoint: str, stop: asyncio.Event) -> Seeded:
    """Write the items behind the checkpoint, transaction by transaction, until all are there or `stop` is set.

    Raises:
        NotAccepted: the database refused a transaction twenty times; another run goes on from there.
        DataRefused: the same, because of its values.
        OutcomeUnknown: the last of twenty attempts may have been committed; so does it then.
    """
    started = time.monotonic()
    done = await _tried(part, partial(_begin, database, part, checkpoint), stop)
    progress = Progress(part=part, started=started, logged=started, began_with=done)
    while done < part.count and not stop.is_set():
        step = await _tried(part, partial(_write_once, database, part, checkpoint), stop)
        done = step.done
        progress.note(done, step.new)
        await until_members_follow(database, stop)
    seconds = time.monotonic() - started
    rate = progress.written * part.rows_per_item / max(seconds, 0.001)
    return Seeded(
        part=part.name,
        new=progress.written,
        done=min(done, part.count),
        of=part.count,
        seconds=round(seconds, 1),
        rows_per_second=round(rate),
    )


async def forget_checkpoint(database: Transactions, checkpoint: str) -> None:
    """Have the next run look at every item again; raises what a transaction does."""
    async with database.transaction() as connection:
        await connection.execute(seed_checkpoints.delete().where(_COLUMNS.part == checkpoint))


async def _begin(database: Transactions, part: SeedPart, checkpoint: str) -> int:
    """Return how far the part has come, and make the row that says so.

    Rows may have gone since, and the checkpoint not: then its last item is missing, and all are looked at again.
    """
    async with database.transaction() as connection:
        new = insert(seed_checkpoints).values(part=checkpoint, done=0, updated_at=_NOW)
        await connection.execute(new.on_duplicate_key_update(part=_COLUMNS.part))
        done = min(await _locked(connection, checkpoint), part.count)
        if done and await part.write(connection, range(done, done + 1)):
            log.warning("checkpoint_without_its_rows", part=part.name, done=done)
            done = 0
            await _note(connection, checkpoint, 0)
    return done


async def _tried(part: SeedPart, attempt: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T:
    """Return what an attempt returns, after twenty at most.

    DataRefused is also what an item is that somebody else, as a top-up, inserted a moment ago.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await attempt()
        except (NotAccepted, DataRefused, OutcomeUnknown) as exc:
            log.warning("seeding_tried_again", what=part.name, error=str(exc))
        await pause_until(stop, at_most_seconds=LONGEST_PAUSE_SECONDS)
    return await attempt()


async def _write_once(database: Transactions, part: SeedPart, checkpoint: str) -> _Step:
    async with database.transaction() as connection:
        done = await _locked(connection, checkpoint)
        if done >= part.count:
            return _Step(done=done, new=0)
        # The checkpoint is a row of the transaction, too.
        size = (ROWS_IN_TRANSACTION - 1) // part.rows_per_item
        last = min(done + size, part.count)
        new = await part.write(connection, range(done + 1, last + 1))
        await _note(connection, checkpoint, last)
    return _Step(done=last, new=new)


async def _locked(connection: AsyncConnection, checkpoint: str) -> int:
    statement = select(_COLUMNS.done).where(_COLUMNS.part == checkpoint).with_for_update()
    done: int = (await connection.execute(statement)).scalar_one()
    return done


async def _note(connection: AsyncConnection, checkpoint: str, done: int) -> None:
    statement = update(seed_checkpoints).where(_COLUMNS.part == checkpoint)
    await connection.execute(statement.values(done=done, updated_at=_NOW))
