"""Deliveries: rows that a consumer's batch leaves, and the bounded sender that works them off (R11)."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from doorbuster.contracts.bodies import Body
from doorbuster.deliveries.model import Delivery, DeliveryPolicy, DeliveryStatus, due, settle
from doorbuster.deliveries.ports import Deliveries, DeliveryObserver, DeliveryRepository, Partner
from doorbuster.kernel.breaker import Breaker, BreakerPolicy
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown
from doorbuster.kernel.pausing import pause_until

log = structlog.get_logger()


class DeliveryService:
    """What the external-data group does with a batch: it leaves rows, and speaks to nobody."""

    async def handle(self, repository: DeliveryRepository, bodies: Sequence[Body], now: datetime) -> Sequence[Body]:
        """Add a due row for each order; returns no events."""
        with deciding():
            rows = due(bodies, now)
        await repository.add(rows, now)
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPolicy:
    """The sender's bounds.

    Attributes:
        at_once: so many attempts run beside each other.
        idle_seconds: between two looks when nothing is due.
        gather_seconds: between two rounds when something is, but less than can be delivered at once: each costs two
            commits.
        delivery: how hard to try each.
    """

    at_once: int = 16
    idle_seconds: float = 0.5
    gather_seconds: float = 0.1
    delivery: DeliveryPolicy = field(default_factory=DeliveryPolicy)


@dataclass(slots=True)
class Sender:
    """Delivers due rows to the partner; any number of senders may run beside each other.

    Attributes:
        clock: monotonic seconds, for the breaker.
        observer: is told what happens.
    """

    deliveries: Deliveries
    partner: Partner
    clock: Callable[[], float]
    observer: DeliveryObserver
    policy: SenderPolicy = field(default_factory=SenderPolicy)
    breaker: Breaker = field(default_factory=lambda: Breaker(policy=BreakerPolicy()))

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`; the round in hand is finished."""
        while not stopping.is_set():
            try:
                sent = await self.round()
            except (NotAccepted, OutcomeUnknown) as exc:
                # Nothing is lost: unsettled rows become due again when their lease ends, and the partner knows the key.
                log.warning("delivery_round_failed", error=str(exc))
                sent = 0
            if sent < self.policy.at_once:
                pause = self.policy.gather_seconds if sent else self.policy.idle_seconds
                await pause_until(stopping, at_most_seconds=pause)

    async def round(self) -> int:
        """Deliver what is due, as far as breaker and bounds let it; return the number of attempts.

        Raises:
            NotAccepted: the rows couldn't be claimed or settled.
            OutcomeUnknown: whether they were isn't known.
        """
        allowed = self.breaker.allowed(self.clock())
        limit = self.policy.at_once if allowed is None else min(allowed, self.policy.at_once)
        if limit == 0:
            return 0
        async with self.deliveries.transaction() as repository:
            now = await repository.now()
            claimed = await repository.claim(limit, self.policy.delivery, now=now)
            self.observer.due(await repository.count_due(now) + len(claimed))
        if not claimed:
            return 0
        self.breaker = self.breaker.begun()
        errors = await asyncio.gather(*(self._attempt(delivery) for delivery in claimed))
        await self._settle(claimed, errors)
        return len(claimed)

    async def _attempt(self, delivery: Delivery) -> str | None:
        error = await self.partner.deliver(delivery.order_id, delivery.payload)
        self.breaker = self.breaker.succeeded() if error is None else self.breaker.failed(self.clock())
        return error

    async def _settle(self, claimed: Sequence[Delivery], errors: Sequence[str | None]) -> None:
        async with self.deliveries.transaction() as repository:
            now = await repository.now()
            settled = [
                settle(delivery, error, now, self.policy.delivery)
                for delivery, error in zip(claimed, errors, strict=True)
            ]
            await repository.settle(settled)
        for delivery in settled:
            self._tell(delivery)

    def _tell(self, delivery: Delivery) -> None:
        if delivery.status is DeliveryStatus.PARKED:
            log.error("delivery_parked", order_id=str(delivery.order_id), error=delivery.last_error)
        self.observer.attempted(delivery.status)
