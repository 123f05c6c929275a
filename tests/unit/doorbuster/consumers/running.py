"""Runs consumers on a Kafka in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from doorbuster.consumers.intake import Intake, Limits
from doorbuster.consumers.measures import Measures
from doorbuster.consumers.runtime import Backoff, Clocks, ConsumerRuntime, Pace
from doorbuster.infra.kafka.record_source import Partition, RecordSource
from doorbuster.infra.kafka.records import BatchHandler, BatchResult, Record

TOPIC = "order-created"
FIRST = Partition(TOPIC, 0)
SECOND = Partition(TOPIC, 1)
# Far more than needed: the machine may be busy with other tests.
PATIENCE_SECONDS = 20.0
LIMITS = Limits(records=10, value_bytes=1000, idle_seconds=0.005, linger_seconds=0.002, rest=0)


@dataclass(slots=True)
class Handler:
    """Remembers committed batches; raises the errors it is given first; `before` runs at the start of each attempt."""

    errors: list[Exception] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None
    attempts: list[list[bytes]] = field(default_factory=list)
    batches: list[list[bytes]] = field(default_factory=list)

    async def handle(self, records: Sequence[Record]) -> BatchResult:
        values = [record.value or b"" for record in records]
        self.attempts.append(values)
        if self.before is not None:
            await self.before()
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append(values)
        return BatchResult(processed=len(records))

    @property
    def values(self) -> list[bytes]:
        return [value for batch in self.batches for value in batch]


def consumer(
    source: RecordSource,
    handler: BatchHandler,
    *,
    group: str = "stock-service-group",
    limits: Limits = LIMITS,
    first_pause: float = 0.002,
    delay_per_record_seconds: float = 0.0,
) -> ConsumerRuntime:
    measures = Measures(group, time.time)
    intake = Intake(source, group, limits=limits, measures=measures, clock=time.monotonic)
    return ConsumerRuntime(
        group,
        intake,
        handler=handler,
        measures=measures,
        clocks=Clocks(monotonic=time.monotonic, chance=lambda: 1.0),
        pace=Pace(
            backoff=Backoff(first_seconds=first_pause, longest_seconds=max(0.01, first_pause)),
            delay_per_record_seconds=delay_per_record_seconds,
        ),
    )


async def until(reached: Callable[[], bool], what: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + patience_seconds
    while not reached():
        assert time.monotonic() < deadline, f"not in time: {what}"
        await asyncio.sleep(0.001)


@asynccontextmanager
async def running(
    runtime: ConsumerRuntime, *, topic: str = TOPIC, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[asyncio.Event]:
    """Run it; asked to stop at the end of the block, it has to end without an error."""
    stopping = asyncio.Event()
    task = asyncio.create_task(runtime.run([topic], stopping))
    try:
        yield stopping
        stopping.set()
        async with asyncio.timeout(patience_seconds):
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
