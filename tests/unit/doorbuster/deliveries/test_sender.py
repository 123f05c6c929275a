import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from doorbuster.deliveries.model import Delivery, DeliveryPolicy, DeliveryStatus
from doorbuster.deliveries.service import Sender, SenderPolicy
from doorbuster.kernel.breaker import Breaker, BreakerPolicy
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.kernel.ids import OrderId

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass
class FakeRows:
    """Rows in memory; the first `broken` transactions fail as those of a lost primary do."""

    rows: dict[OrderId, Delivery] = field(default_factory=dict)
    broken: int = 0
    moment: datetime = NOW

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["FakeRows"]:
        if self.broken:
            self.broken -= 1
            raise PrimaryUnavailable("gone")
        yield self

    async def now(self) -> datetime:
        return self.moment

    async def add(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        self.rows |= {row.order_id: row for row in deliveries if row.order_id not in self.rows}

    async def claim(self, limit: int, policy: DeliveryPolicy, *, now: datetime) -> Sequence[Delivery]:
        open_rows = [row for row in self.rows.values() if self._is_due(row)][:limit]
        claimed = [replace(row, attempts=row.attempts + 1, due_at=self.moment + policy.lease) for row in open_rows]
        self.rows |= {row.order_id: row for row in claimed}
        return claimed

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        self.rows |= {row.order_id: row for row in deliveries}

    async def count_due(self, now: datetime) -> int:
        return sum(self._is_due(row) for row in self.rows.values())

    def _is_due(self, row: Delivery) -> bool:
        return row.status is DeliveryStatus.DUE and row.due_at <= self.moment


@dataclass
class FakePartner:
    error: str | None = None
    received: list[OrderId] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def deliver(self, order_id: OrderId, payload: Mapping[str, object]) -> str | None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        self.received.append(order_id)
        return self.error


@dataclass
class Observed:
    outcomes: list[DeliveryStatus] = field(default_factory=list)
    most_due: int = 0
    enough: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def all_delivered(self, count: int) -> asyncio.Event:
        """An event that is set after so many attempts."""
        self.enough = count
        return self.reached

    def due(self, count: int) -> None:
        self.most_due = max(self.most_due, count)

    def attempted(self, outcome: DeliveryStatus) -> None:
        self.outcomes.append(outcome)
        if len(self.outcomes) == self.enough:
            self.reached.set()


def rows(count: int) -> FakeRows:
    ids = [OrderId(UUID(int=number)) for number in range(count)]
    return FakeRows(
        {key: Delivery(order_id=key, status=DeliveryStatus.DUE, payload={}, attempts=0, due_at=NOW) for key in ids}
    )


def sender(deliveries: FakeRows, partner: FakePartner, observed: Observed | None = None, clock: float = 0.0) -> Sender:
    return Sender(
        deliveries=deliveries,
        partner=partner,
        clock=lambda: clock,
        observer=observed or Observed(),
        policy=SenderPolicy(at_once=16, idle_seconds=0.001),
        breaker=Breaker(policy=BreakerPolicy(failures=5, open_seconds=60)),
    )


async def test_everything_due_is_delivered_once_and_sixteen_at_once_at_most() -> None:
    deliveries, partner, observed = rows(40), FakePartner(), Observed()
    work = sender(deliveries, partner, observed)

    attempts = [await work.round() for _ in range(4)]

    assert attempts == [16, 16, 8, 0]
    assert sorted(partner.received) == sorted(deliveries.rows)
    assert partner.most_at_once == 16
    assert observed.outcomes == [DeliveryStatus.DELIVERED] * 40
    assert observed.most_due == 40


async def test_a_failing_partner_is_left_alone_after_the_first_failures() -> None:
    deliveries, partner = rows(40), FakePartner(error="HTTP 500")
    work = sender(deliveries, partner)

    await work.round()
    deliveries.moment = datetime(2026, 1, 3, tzinfo=UTC)

    assert await work.round() == 0
    assert len(partner.received) == 16


async def test_one_attempt_tells_whether_the_partner_is_back() -> None:
    deliveries, partner = rows(40), FakePartner(error="HTTP 500")
    times = [0.0]
    work = sender(deliveries, partner)
    work.clock = lambda: times[0]
    await work.round()

    times[0], partner.error = 61.0, None

    assert [await work.round() for _ in range(2)] == [1, 16]


async def test_rows_of_a_sender_that_died_become_due_again() -> None:
    deliveries, partner = rows(1), FakePartner()
    policy = DeliveryPolicy()
    await deliveries.claim(16, policy, now=NOW)

    assert await sender(deliveries, partner).round() == 0
    deliveries.moment = NOW + policy.lease

    assert await sender(deliveries, partner).round() == 1


async def test_a_lost_primary_ends_the_round_and_not_the_sender() -> None:
    deliveries, partner, observed = rows(3), FakePartner(), Observed()
    deliveries.broken = 2
    work = sender(deliveries, partner, observed)

    async with asyncio.timeout(5):
        await work.run(observed.all_delivered(3))

    assert {row.status for row in deliveries.rows.values()} == {DeliveryStatus.DELIVERED}
    assert deliveries.broken == 0
