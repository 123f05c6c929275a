"""Gathers commands that wait, runs them as one batch, and lets the next batch form meanwhile (R3)."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

import structlog

from doorbuster.infra.telemetry import COALESCER_BATCH_SIZE, COALESCER_WAITING
from doorbuster.kernel.errors import OutcomeUnknown, Overloaded

log = structlog.get_logger()

I = TypeVar("I")  # noqa: E741 (in and out)
O = TypeVar("O")  # noqa: E741


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A coalescer's bounds.

    Attributes:
        max_items: a batch ends at so many commands.
        max_bytes: or at so many bytes; a single command may be larger.
        max_rows: or at so many rows; a single command may cost more.
        max_waiting: so many wait; one more is refused at once.
        per_user: of these so many of one user.
        in_flight: so many batches run at once.
    """

    max_items: int = 200
    max_bytes: int = 1024 * 1024
    max_rows: int = 2_000
    max_waiting: int = 2_000
    per_user: int = 4
    in_flight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Waiting(Generic[I, O]):
    item: I
    user: int
    size: int
    rows: int
    expires_at: float
    future: asyncio.Future[O]


@dataclass(slots=True)
class _Queue(Generic[I, O]):
    """First in, first out; whoever gives up leaves at once, wherever he stands."""

    items: OrderedDict[int, _Waiting[I, O]] = field(default_factory=OrderedDict)
    of_user: Counter[int] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.items)

    def add(self, waiting: _Waiting[I, O]) -> None:
        self.items[id(waiting)] = waiting
        self.of_user[waiting.user] += 1

    def first(self) -> _Waiting[I, O]:
        return next(iter(self.items.values()))

    def remove(self, waiting: _Waiting[I, O]) -> bool:
        """Take it out; returns False when it has left before."""
        if self.items.pop(id(waiting), None) is None:
            return False
        self.of_user[waiting.user] -= 1
        if not self.of_user[waiting.user]:
            del self.of_user[waiting.user]
        return True


class Coalescer(Generic[I, O]):
    """One bounded queue in front of a use case that works on batches.

    There is no timer: an idle coalescer starts a batch in the same turn of the event loop, a busy one when the batch in
    flight ends. So batches grow with the load and only with it.
    """

    def __init__(
        self,
        run_batch: Callable[[Sequence[I]], Awaitable[Sequence[O | Exception]]],
        *,
        name: str,
        limits: Limits | None = None,
        size_of: Callable[[I], int] = lambda _: 0,
        rows_of: Callable[[I], int] = lambda _: 0,
    ) -> None:
        """Put a queue in front of `run_batch`.

        Args:
            run_batch: returns an outcome for each item, in their order; an exception among them is raised to the
                item's caller, one that it raises itself to all callers. It bounds its own time.
            name: of the use case, for metrics.
            limits: the bounds; None means the usual ones.
            size_of: an item's size in bytes, for the batch's limit.
            rows_of: how many rows an item may cost its transaction, for the batch's limit.
        """
        self._run_batch = run_batch
        self._limits = limits or Limits()
        self._size_of = size_of
        self._rows_of = rows_of
        self._name = name
        self._queue: _Queue[I, O] = _Queue()
        self._batches: set[asyncio.Task[Sequence[O | Exception]]] = set()
        self._kick_scheduled = False
        self._draining = False
        self._waiting_gauge = COALESCER_WAITING.labels(use_case=name)
        self._size_histogram = COALESCER_BATCH_SIZE.labels(use_case=name)

    async def submit(self, item: I, *, user: int, deadline_seconds: float) -> O:
        """Return the item's outcome.

        A caller that is cancelled takes its item out of the queue; a batch that began runs on without it.

        Args:
            item: one command.
            user: whose it is.
            deadline_seconds: so long the caller waits, in the queue and for the batch.

        Raises:
            Overloaded: too many wait, or the time ran out in the queue, or the process ends: nothing was done.
            OutcomeUnknown: the time ran out while the batch ran.
            Exception: what the batch raised for this item.
        """
        self._admit(user)
        loop = asyncio.get_running_loop()
        waiting: _Waiting[I, O] = _Waiting(
            item=item,
            user=user,
            size=self._size_of(item),
            rows=self._rows_of(item),
            expires_at=loop.time() + deadline_seconds,
            future=loop.create_future(),
        )
        self._queue.add(waiting)
        self._schedule_kick(loop)
        timer = loop.call_at(waiting.expires_at, self._expire, waiting)
        try:
            return await waiting.future
        finally:
            timer.cancel()
            self._leave(waiting)

    async def drain(self) -> None:
        """Refuse new items from now on, and return when all that wait have their outcome."""
        self._draining = True
        while self._queue or self._batches:
            self._kick()
            if self._batches:
                await asyncio.wait(self._batches, return_when=asyncio.FIRST_COMPLETED)

    def _admit(self, user: int) -> None:
        if self._draining:
            raise Overloaded("this process is ending")
        if len(self._queue) >= self._limits.max_waiting:
            raise Overloaded(f"{self._limits.max_waiting} commands wait already")
        if self._queue.of_user[user] >= self._limits.per_user:
            raise Overloaded(f"{self._limits.per_user} commands of this user wait already")

    def _leave(self, waiting: _Waiting[I, O]) -> None:
        """Forget an item whose caller is served or gone."""
        self._queue.remove(waiting)
        self._waiting_gauge.set(len(self._queue))

    def _expire(self, waiting: _Waiting[I, O]) -> None:
        if self._queue.remove(waiting):
            _fail(waiting, Overloaded("the time ran out in the queue"))
        else:
            _fail(waiting, OutcomeUnknown("the time ran out while the batch ran"))

    def _schedule_kick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._waiting_gauge.set(len(self._queue))
        if not self._kick_scheduled and len(self._batches) < self._limits.in_flight:
            # Not at once: everything that is submitted in this turn of the loop shall join.
            self._kick_scheduled = True
            loop.call_soon(self._kick)

    def _kick(self) -> None:
        self._kick_scheduled = False
        while self._queue and len(self._batches) < self._limits.in_flight:
            batch = self._take()
            if batch:
                self._start(batch)
        self._waiting_gauge.set(len(self._queue))

    def _take(self) -> Sequence[_Waiting[I, O]]:
        """Take the next batch out of the queue; who expired or gave up isn't in it."""
        now = asyncio.get_running_loop().time()
        batch: list[_Waiting[I, O]] = []
        size = rows = 0
        while self._queue and len(batch) < self._limits.max_items:
            waiting = self._queue.first()
            if waiting.future.done() or waiting.expires_at <= now:
                self._expire(waiting)
                continue
            size, rows = size + waiting.size, rows + waiting.rows
            if batch and (size > self._limits.max_bytes or rows > self._limits.max_rows):
                break
            self._queue.remove(waiting)
            batch.append(waiting)
        return batch

    def _start(self, batch: Sequence[_Waiting[I, O]]) -> None:
        self._size_histogram.observe(len(batch))
        # An empty context: the batch is everybody's, and must not log with the names of whoever came first.
        task = asyncio.get_running_loop().create_task(
            self._run([waiting.item for waiting in batch]), name=f"batch {self._name}", context=Context()
        )
        self._batches.add(task)
        task.add_done_callback(partial(self._finish, batch))

    async def _run(self, items: Sequence[I]) -> Sequence[O | Exception]:
        return tuple(await self._run_batch(items))

    def _finish(self, batch: Sequence[_Waiting[I, O]], task: asyncio.Task[Sequence[O | Exception]]) -> None:
        """Resolve every future of the batch, however it ended, and start the next one.

        A callback and not the end of the task: a task that is cancelled before its first step never runs.
        """
        self._batches.discard(task)
        try:
            for waiting, outcome in zip(batch, self._outcomes(batch, task), strict=True):
                _resolve(waiting, outcome)
        finally:
            self._kick()

    def _outcomes(
        self, batch: Sequence[_Waiting[I, O]], task: asyncio.Task[Sequence[O | Exception]]
    ) -> Sequence[O | BaseException]:
        if task.cancelled():
            return [OutcomeUnknown("the process ended while the batch ran")] * len(batch)
        exc = task.exception()
        if exc is not None:
            return [exc] * len(batch)
        outcomes = task.result()
        if len(outcomes) != len(batch):
            # Nobody can say whose is whose; the keys know.
            log.error("wrong_number_of_outcomes", use_case=self._name, items=len(batch), outcomes=len(outcomes))
            return [OutcomeUnknown(f"{len(outcomes)} outcomes for {len(batch)} commands")] * len(batch)
        return outcomes


def _resolve(waiting: _Waiting[I, O], outcome: O | BaseException) -> None:
    if isinstance(outcome, BaseException):
        _fail(waiting, outcome)
    elif not waiting.future.done():
        waiting.future.set_result(outcome)


def _fail(waiting: _Waiting[I, O], exc: BaseException) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(exc)
