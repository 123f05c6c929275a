"""The faults of a consumer, each around a part of it: handler, record source, transactions.

All of them are transient to whoever meets them: no record is lost, skipped or given up by a fault.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.kafka.record_source import Partition, RecordSource, SourceListener
from doorbuster.infra.kafka.records import BatchHandler, BatchResult, Record
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.errors import NotAccepted

_SLEEP = text("SELECT SLEEP(:seconds)")


class MadeToFail(NotAccepted):
    """A batch that fails on purpose, before anything is written."""


class FailingBatches:
    """A batch handler that fails now and then, as if the database were gone for a moment (R7: tried again for ever)."""

    def __init__(self, handler: BatchHandler, *, rate: float, chance: Callable[[], float]) -> None:
        """Fail a share of the batches.

        Args:
            handler: does the others.
            rate: from 0, none, to 1, all.
            chance: random numbers from 0 to 1, 1 excluded.
        """
        self._handler = handler
        self._rate = rate
        self._chance = chance

    async def handle(self, records: Sequence[Record]) -> BatchResult:
        """Return what the handler does.

        Raises:
            MadeToFail: this time it wasn't asked.
        """
        if self._chance() < self._rate:
            raise MadeToFail("a fault that is made on purpose: error-rate")
        return await self._handler.handle(records)


class StuckPartition:
    """A record source without the records of one partition; as a member of its group it behaves as ever.

    Nothing of that partition is delivered, so nothing of it is committed: whoever has it without the fault begins where
    it stood.
    """

    def __init__(self, source: RecordSource, stuck: Partition, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Leave out the records of `stuck`; `clock` is in monotonic seconds."""
        self._source = source
        self._stuck = stuck
        self._clock = clock

    def subscribe(self, topics: Sequence[str], listener: SourceListener) -> None:
        """Join the group."""
        self._source.subscribe(topics, listener)

    def poll(self, wait_seconds: float) -> Record | None:
        """Return the next record of another partition, or None when none came in time."""
        deadline = self._clock() + wait_seconds
        while True:
            record = self._source.poll(max(0.0, deadline - self._clock()))
            if record is None or Partition(record.topic, record.partition) != self._stuck:
                return record
            if self._clock() >= deadline:
                return None

    def pause(self) -> None:
        """Deliver nothing until `resume`."""
        self._source.pause()

    def resume(self) -> None:
        """Deliver again."""
        self._source.resume()

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Send the offsets."""
        self._source.commit(offsets)

    def commit_and_wait(self, offsets: Mapping[Partition, int]) -> None:
        """Commit the offsets."""
        self._source.commit_and_wait(offsets)

    def close(self) -> None:
        """Leave the group."""
        self._source.close()


class SlowTransactions:
    """A database whose transactions wait before they begin to work, on the server, with their connection in hand."""

    def __init__(self, database: Transactions, *, seconds: float) -> None:
        """Wait for so many seconds, shorter than a round trip may take (R2)."""
        self._database = database
        self._seconds = seconds

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Return a transaction of the database's, after the wait."""
        async with self._database.transaction() as connection:
            await connection.execute(_SLEEP, {"seconds": self._seconds})
            yield connection
