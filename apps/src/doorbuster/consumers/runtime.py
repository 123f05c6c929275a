"""The consumer runtime: batches from Kafka to a handler, offsets after its transaction (R7, R10). Knows no business.

One asyncio loop does the work; one thread of its own speaks to Kafka, whose client blocks and wants its calls one after
the other. While a batch is in hand that thread rests, so a rebalance happens only between batches, between two
attempts of a batch that has to be tried again, or while a fault delay holds a batch up (P19).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

import structlog

from doorbuster.consumers.intake import Batch, Intake
from doorbuster.consumers.measures import Measures
from doorbuster.infra.kafka.records import BatchHandler, BatchResult
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown
from doorbuster.kernel.pausing import pause_until

# Liveness: far above the worst batch, and below the time after which Kafka gives the partitions to somebody else.
LONGEST_TURN_SECONDS = 120.0
# Kubernetes kills after 30.
LONGEST_CLOSE_SECONDS = 20.0
# Between two looks at `stopping` while a batch in hand waits; also how long it waits without answering rebalances.
SLICE_SECONDS = 0.5

log = structlog.get_logger()

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses between attempts: doubled each time up to a longest one, halved at random so that consumers spread."""

    first_seconds: float = 0.1
    longest_seconds: float = 5.0

    def seconds(self, attempt: int, chance: float) -> float:
        """Return the pause after the attempt, counted from 1; `chance` is from 0 to 1."""
        doubled = self.first_seconds * 2.0 ** min(attempt - 1, 32)
        return min(self.longest_seconds, doubled) * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What the runtime takes from outside.

    Attributes:
        monotonic: seconds that never jump.
        chance: random numbers from 0 to 1.
    """

    monotonic: Callable[[], float]
    chance: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a batch in hand waits, and for what.

    Attributes:
        backoff: before its next attempt.
        delay_per_record_seconds: before its first attempt, for each of its records, on purpose (P19).
    """

    backoff: Backoff = Backoff()
    delay_per_record_seconds: float = 0.0


class ConsumerRuntime:
    """Runs one consumer until it is asked to stop or can't go on."""

    def __init__(
        self,
        group: str,
        intake: Intake,
        *,
        handler: BatchHandler,
        measures: Measures,
        clocks: Clocks,
        pace: Pace = Pace(),
    ) -> None:
        """Take the parts; nothing is connected before `run`."""
        self._group = group
        self._intake = intake
        self._handler = handler
        self._measures = measures
        self._clocks = clocks
        self._pace = pace
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka")
        self._turned_at = clocks.monotonic()
        self._running = False

    def ready(self) -> bool:
        """Say whether it takes batches, or would if there were any: depends on no server (R17)."""
        return self._running

    def alive(self) -> bool:
        """Say whether the loop has turned lately, for the liveness probe."""
        return self._clocks.monotonic() - self._turned_at < LONGEST_TURN_SECONDS

    async def run(self, topics: Sequence[str], stopping: asyncio.Event) -> None:
        """Work until `stopping`, then finish the batch in hand, commit and leave the group.

        A handler's error that is not transient is a bug: it leaves here, and nothing of its batch is committed.

        Raises:
            SourceFailed: only a new process helps.
        """
        try:
            self._show_delay()
            await self._in_thread(self._intake.start, topics)
            self._running = True
            log.info("consumer_started", group=self._group, topics=list(topics))
            while not stopping.is_set():
                batch = await self._in_thread(self._intake.take)
                if self._pace.delay_per_record_seconds and batch.held:
                    batch = await self._delayed(batch, stopping)
                if batch.held:
                    await self._finish(batch, stopping)
        finally:
            self._running = False
            await self._close()

    def _show_delay(self) -> None:
        seconds = self._pace.delay_per_record_seconds
        self._measures.delayed(seconds)
        if seconds:
            log.warning("fault_delay_is_on", group=self._group, seconds_per_record=seconds)

    async def _delayed(self, batch: Batch, stopping: asyncio.Event) -> Batch:
        """Hold the batch up for its records' fault delay.

        Up to half a second is held up like a batch that takes as long; what is longer, as a member that takes part in
        rebalances. Not all of it: whoever pauses has what was fetched ahead fetched again, partition by partition, and
        with small batches the first of them always wins.

        Returns:
            What is still ours; nothing when `stopping` is set: its work has not begun, so whoever comes next may do it.
        """
        begun = self._clocks.monotonic()
        until = begun + self._pace.delay_per_record_seconds * len(batch.held)
        await pause_until(stopping, at_most_seconds=min(until - begun, SLICE_SECONDS))
        if until - begun > SLICE_SECONDS:
            await self._in_thread(self._intake.pause)
            batch = await self._stay(batch, until, stopping)
            await self._in_thread(self._intake.resume)
        held = () if stopping.is_set() else batch.held
        return replace(batch, held=held, delayed_seconds=self._clocks.monotonic() - begun)

    async def _finish(self, batch: Batch, stopping: asyncio.Event) -> None:
        """Try the batch until it is committed, `stopping` is set, or none of it is ours any more."""
        if await self._attempt(batch, 1):
            return
        await self._in_thread(self._intake.pause)
        attempt = 1
        while True:
            batch = await self._wait(batch, attempt, stopping)
            if not batch.held or stopping.is_set():
                break
            attempt += 1
            if await self._attempt(batch, attempt):
                break
        await self._in_thread(self._intake.resume)

    async def _attempt(self, batch: Batch, attempt: int) -> bool:
        records = [held.record for held in batch.held]
        self._measures.in_hand(records)
        begun = self._clocks.monotonic()
        try:
            result = await self._handler.handle(records)
        except (NotAccepted, OutcomeUnknown) as exc:
            self._retry(exc, records=len(records), attempt=attempt)
            return False
        except Exception:
            log.exception("batch_failed", group=self._group, records=len(records), first=_place(batch))
            raise
        self._done(batch, result, begun)
        return True

    def _done(self, batch: Batch, result: BatchResult, begun: float) -> None:
        ended = self._clocks.monotonic()
        self._intake.finish(batch)
        busy = batch.delayed_seconds + ended - begun
        self._measures.finished(result, busy_seconds=busy, batch_seconds=ended - batch.since)
        log.debug("batch_committed", group=self._group, records=len(batch.held), dead_letters=result.dead_letters)

    def _retry(self, error: Exception, *, records: int, attempt: int) -> None:
        cause = type(error).__name__
        self._measures.retried(cause)
        log.warning(
            "batch_not_accepted", group=self._group, records=records, attempt=attempt, cause=cause, reason=str(error)
        )

    async def _wait(self, batch: Batch, attempt: int, stopping: asyncio.Event) -> Batch:
        """Pause before the next attempt, as a member that takes part in rebalances; return what is still ours."""
        pause = self._pace.backoff.seconds(attempt, self._clocks.chance())
        return await self._stay(batch, self._clocks.monotonic() + pause, stopping)

    async def _stay(self, batch: Batch, until: float, stopping: asyncio.Event) -> Batch:
        while batch.held and not stopping.is_set() and (left := until - self._clocks.monotonic()) > 0:
            batch = await self._in_thread(self._intake.stay, batch, min(left, SLICE_SECONDS))
            self._measures.in_hand([held.record for held in batch.held])
        return batch

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(LONGEST_CLOSE_SECONDS):
                await self._in_thread(self._intake.close)
        except TimeoutError:
            # Kubernetes ends the process; what isn't committed comes again.
            log.exception("consumer_not_closed_in_time", group=self._group)
        else:
            log.info("consumer_stopped", group=self._group)
        self._thread.shutdown(wait=False)

    def _in_thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        self._turned_at = self._clocks.monotonic()
        return asyncio.get_running_loop().run_in_executor(self._thread, lambda: call(*args, **kwargs))


def _place(batch: Batch) -> str:
    first = batch.held[0].record
    return f"{first.topic}/{first.partition}@{first.offset}"
