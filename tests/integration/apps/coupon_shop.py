"""Processes that issue coupons, on the test's servers."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis
from sqlalchemy import Row, func, select

from doorbuster.bootstrap.buyer_commands import Ground
from doorbuster.bootstrap.coupon_admin import CouponAdmin, NewCoupon
from doorbuster.bootstrap.coupon_issues import IssueCommands, issue_commands
from doorbuster.contracts.messages import decode
from doorbuster.coupons.coupon import CouponKind
from doorbuster.coupons.gate_upkeep import GateUpkeep
from doorbuster.coupons.issue_repository import MySqlCoupons
from doorbuster.coupons.issuing import IssueCoupon, Issued, IssueOutcome
from doorbuster.coupons.redis_gate import RedisGate
from doorbuster.coupons.tables import coupon_issues, coupons
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.tables import outbox
from doorbuster.infra.outbox.wakeup_sender import WakeupSender
from doorbuster.kernel.ids import CouponId, IssueId, UserId

# A busy machine takes its time for 2,000 users; how long is no matter of these tests.
PATIENT_SECONDS = 30.0


@dataclass
class CouponShop:
    """What the processes share: the database and Redis."""

    database: Database
    client: Redis

    @property
    def gate(self) -> RedisGate:
        return RedisGate(self.client, call_seconds=PATIENT_SECONDS)

    def upkeep(self, *, old_seconds: float = 0) -> GateUpkeep:
        """Return the watch's work on gates; without patience for claims."""
        return GateUpkeep(self.gate, MySqlCoupons(self.database), old_seconds=old_seconds)

    def process(self, client: Redis | None = None) -> IssueCommands:
        """Return the use case of one more process, with a Redis of its own if it is given one."""
        ground = Ground(
            database=self.database,
            wakeups=WakeupSender(_asleep),
            accepts=lambda: True,
            deadline_seconds=PATIENT_SECONDS,
            new_id=uuid4,
        )
        return issue_commands(ground, client or self.client, Circuits(Dependency.REDIS))

    async def coupon(self, total: int) -> CouponId:
        """Make a coupon, with an open gate if there is a Redis."""
        wanted = NewCoupon(name="a tenth", kind=CouponKind.PERCENTAGE, value=10, total=total)
        return (await CouponAdmin(self.database, self.gate).create(wanted)).coupon.id

    async def rows(self, coupon_id: CouponId) -> Sequence[Row[tuple[object, ...]]]:
        """Return the coupon's issues, by user."""
        wanted = select(coupon_issues).where(coupon_issues.c.coupon_id == coupon_id)
        async with self.database.reading() as connection:
            return (await connection.execute(wanted.order_by(coupon_issues.c.user_id))).all()

    async def issued(self, coupon_id: CouponId) -> int:
        """Return the coupon's counter."""
        async with self.database.reading() as connection:
            found = await connection.execute(select(coupons.c.issued).where(coupons.c.id == coupon_id))
            return int(found.scalar_one())

    async def messages(self) -> int:
        """Return how many messages wait, each about another issue."""
        async with self.database.reading() as connection:
            payloads = list((await connection.execute(select(outbox.c.payload))).scalars())
            assert (await connection.execute(select(func.count()).select_from(outbox))).scalar_one() == len(payloads)
        assert len({decode(payload).body.key for payload in payloads}) == len(payloads)
        return len(payloads)

    async def assert_whole(self, coupon_id: CouponId, outcomes: Iterable[IssueOutcome]) -> None:
        """Every issue that somebody was told of is there, once, with its message; and nothing besides."""
        told = {outcome.issue.id for outcome in outcomes if isinstance(outcome, Issued)}
        rows = await self.rows(coupon_id)
        assert {row.id for row in rows} == told
        assert len({row.user_id for row in rows}) == len(rows) == await self.issued(coupon_id)
        assert await self.messages() == len(rows)


async def _asleep() -> None:
    """Wake no relay: there is none."""


def command(coupon_id: CouponId, user: int) -> IssueCoupon:
    return IssueCoupon(issue_id=IssueId(uuid4()), coupon_id=coupon_id, user_id=UserId(user))


async def ask(processes: Sequence[IssueCommands], coupon_id: CouponId, users: Iterable[int]) -> list[IssueOutcome]:
    """Have all users ask at once, spread over the processes."""
    commands = [command(coupon_id, user) for user in users]
    runs = [processes[place % len(processes)].run(each) for place, each in enumerate(commands)]
    return list(await asyncio.gather(*runs))


def kinds(outcomes: Iterable[IssueOutcome]) -> dict[str, int]:
    """Return how often there is which outcome."""
    return dict(Counter("issued" if isinstance(each, Issued) else each.value for each in outcomes))
