"""The use case of the watch: finds overdue sagas, and drives again or cancels those whose step is lost (R15)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from doorbuster.kernel.ids import OrderId
from doorbuster.orders.model import CancelReason, Saga, SagaStep
from doorbuster.orders.ports import CommittedOffsets, OpenSagas, Position, WatchSource
from doorbuster.orders.saga import Transition, redriven, request_cancel
from doorbuster.orders.trails import TrailReader, Trails
from doorbuster.orders.watch import DEFAULT_POLICY, Cancel, Queued, Redrive, Verdict, WatchPolicy, decide_overdue


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchBounds:
    """How much the watch does in one look.

    Attributes:
        page: sagas in one read, and in one transaction.
        pages: pages in one look; the next look goes on behind them.
        cancels: orders cancelled in one look (R15); the others wait for the next.
        compensation: the time that a FAILED order has until it must be compensated (R14).
    """

    page: int = 200
    pages: int = 50
    cancels: int = 50
    compensation: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReport:
    """What one look saw and did.

    Attributes:
        oldest_seconds: age of the oldest open saga; None when none is open.
        queued: overdue sagas whose messages are still ahead of their readers.
        complete: whether the look reached the last overdue saga; if not, `queued` is a part.
    """

    open_sagas: OpenSagas
    oldest_seconds: float | None
    queued: int
    complete: bool
    redriven: Mapping[SagaStep, int]
    cancelled: Mapping[CancelReason, int]


@dataclass(slots=True)
class _Look:
    """What a look has counted so far."""

    reader: TrailReader
    queued: int = 0
    redriven: Counter[SagaStep] = field(default_factory=Counter)
    cancelled: Counter[CancelReason] = field(default_factory=Counter)


class WatchService:
    """Looks after the open sagas; one at a time, though two would do no harm."""

    def __init__(
        self,
        source: WatchSource,
        offsets: CommittedOffsets,
        *,
        policy: WatchPolicy = DEFAULT_POLICY,
        bounds: WatchBounds | None = None,
    ) -> None:
        """Take where sagas and messages are, what the groups have committed, and how patient to be."""
        self._source = source
        self._offsets = offsets
        self._policy = policy
        self._bounds = bounds or WatchBounds()
        self._behind: Position | None = None

    async def look(self) -> WatchReport:
        """Look at the overdue sagas once, and do what is to be done.

        Raises:
            NotAccepted: the database can't be reached; what was done before is committed.
            OutcomeUnknown: whether the last page's acts were committed isn't known; the next look sees.
        """
        async with self._source.reading() as repository:
            now = await repository.now()
            overview = await repository.overview(now, self._bounds.compensation)
        look = _Look(reader=TrailReader(self._offsets))
        complete = False
        for _ in range(self._bounds.pages):
            complete = await self._page(look)
            if complete:
                break
        return WatchReport(
            open_sagas=overview,
            oldest_seconds=None if overview.oldest is None else (now - overview.oldest).total_seconds(),
            queued=look.queued,
            complete=complete,
            redriven=look.redriven,
            cancelled=look.cancelled,
        )

    async def _page(self, look: _Look) -> bool:
        """Look at the next page; return whether it was the last one."""
        async with self._source.reading() as repository:
            now = await repository.now()
            sagas = await repository.overdue(now - self._policy.overdue, behind=self._behind, limit=self._bounds.page)
            trails = await look.reader.read(repository, sagas)
        verdicts = {saga.order.id: decide_overdue(saga, trails[saga.order.id], now, self._policy) for saga in sagas}
        look.queued += sum(isinstance(verdict, Queued) for verdict in verdicts.values())
        await self._act(verdicts, trails, look)
        last = len(sagas) < self._bounds.page
        self._behind = None if last else Position(sent_at=sagas[-1].sent_at, order_id=sagas[-1].order.id)
        return last

    async def _act(self, verdicts: Mapping[OrderId, Verdict], trails: Trails, look: _Look) -> None:
        lost = [order_id for order_id, verdict in verdicts.items() if isinstance(verdict, Redrive | Cancel)]
        if not lost:
            return
        budget = self._bounds.cancels - look.cancelled.total()
        done = _Look(reader=look.reader)
        async with self._source.transaction() as repository:
            now = await repository.now()
            transitions = []
            for order_id, saga in (await repository.lock(lost)).items():
                # Decided again under the lock: a saga that went on meanwhile is young, and is left alone.
                verdict = decide_overdue(saga, trails[order_id], now, self._policy)
                if not (isinstance(verdict, Cancel) and done.cancelled.total() >= budget):
                    transitions.append(_transition(saga, verdict, now, done))
            await repository.save(transitions)
            await repository.send([event for each in transitions for event in each.events], now)
        # Only what is committed counts.
        look.redriven += done.redriven
        look.cancelled += done.cancelled


def _transition(saga: Saga, verdict: Verdict, now: datetime, done: _Look) -> Transition:
    match verdict:
        case Redrive():
            done.redriven[saga.step] += 1
            return redriven(saga, now)
        case Cancel(reason=reason):
            done.cancelled[reason] += 1
            return request_cancel(saga, reason, now)
        case _:
            return Transition(before=saga, after=saga)
