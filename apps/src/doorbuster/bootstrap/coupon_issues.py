"""Binds the issue of coupons to the gate, the database and the API (R16)."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

from redis.asyncio import Redis

from doorbuster.bootstrap.buyer_commands import Ground
from doorbuster.coupons.coupon import Coupon, Issue
from doorbuster.coupons.gatekeeper import Gatekeeper
from doorbuster.coupons.guarded_gate import GuardedGate
from doorbuster.coupons.issue_ports import GateState
from doorbuster.coupons.issue_repository import MySqlCoupons, MySqlIssueRepository
from doorbuster.coupons.issue_service import FirstCome, IssueDesk
from doorbuster.coupons.issuing import IssueCoupon, Issued, IssueOutcome, IssueRefusal
from doorbuster.coupons.known_coupons import KnownCoupons
from doorbuster.coupons.losers import RecentLosers
from doorbuster.coupons.redis_gate import RedisGate
from doorbuster.infra.batches.coalesced_reads import OWN_READS, PUBLIC_READS, CoalescedReads
from doorbuster.infra.batches.coalescer import Coalescer, Limits
from doorbuster.infra.batches.settling import all_settled
from doorbuster.infra.circuits import Circuits
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import Transactions, database_time
from doorbuster.infra.outbox.store import store
from doorbuster.infra.telemetry import COUPON_GATE_ANSWERS, COUPON_ISSUES
from doorbuster.kernel.errors import BrokerUnavailable, DoorbusterError
from doorbuster.kernel.ids import CouponId, IssueId, UserId

# Who waits while one batch is in MySQL is mostly a loser, whom the gate turns away in a millisecond: so two at once.
ISSUE_LIMITS = Limits(in_flight=2)
# Counter, issue, event.
ROWS_OF_AN_ISSUE = 3

_IssueKey = tuple[UserId, IssueId]


class MySqlLedger:
    """Issues coupons, a batch as one transaction: rows, counters, events."""

    def __init__(
        self,
        database: Transactions,
        *,
        new_id: Callable[[], UUID],
        may_write: Callable[[], bool] = lambda: True,
        stored: Callable[[], None] = lambda: None,
        settle_seconds: float = 5.0,
    ) -> None:
        """Take the database.

        Args:
            database: where everything is written.
            new_id: makes the ids of the messages that are sent.
            may_write: whether the outbox may grow (R17).
            stored: called after a transaction that stored messages.
            settle_seconds: so long a batch whose outcome is unknown is tried again.
        """
        self._database = database
        self._desk = IssueDesk()
        self._new_id = new_id
        self._may_write = may_write
        self._stored = stored
        self._settle_seconds = settle_seconds

    async def issue(self, commands: Sequence[IssueCoupon]) -> Sequence[IssueOutcome | DoorbusterError]:
        """Return the outcome of each command; one that can never succeed is found by halving, and fails alone (R7)."""
        return await all_settled(commands, self._write, settle_seconds=self._settle_seconds)

    async def _write(self, commands: Sequence[IssueCoupon]) -> Sequence[IssueOutcome]:
        async with self._database.transaction() as connection:
            now = await database_time(connection)
            repository = MySqlIssueRepository(connection)
            written = await self._desk.handle(repository, commands, now, may_write=self._may_write())
            await store(connection, written.events, now=now, new_id=self._new_id)
        if written.events:
            self._stored()
        return written.outcomes


class GateMeasures:
    """Counts what gates say."""

    def asked(self, state: GateState) -> None:
        """Note the state of one coupon's gate in one call."""
        COUPON_GATE_ANSWERS.labels(state.value).inc()


class IssueCommands:
    """The way of the API's commands: a short memory of losers, a coalescer, the gate, the database."""

    def __init__(self, first_come: FirstCome, losers: RecentLosers, *, deadline_seconds: float) -> None:
        """Put the coalescer in front of what runs a batch."""
        self._losers = losers
        self._deadline_seconds = deadline_seconds
        self._coalescer: Coalescer[IssueCoupon, IssueOutcome] = Coalescer(
            first_come.run, name="issue-coupon", limits=ISSUE_LIMITS, rows_of=lambda _: ROWS_OF_AN_ISSUE
        )

    async def run(self, command: IssueCoupon) -> IssueOutcome:
        """Return the command's outcome: the issue, also one that the user had before, or why there is none.

        Raises:
            NotAccepted: nothing was written; Overloaded and BrokerUnavailable say why.
            OutcomeUnknown: perhaps it was.
        """
        if self._losers.know(command.holder):
            outcome: IssueOutcome = IssueRefusal.SOLD_OUT
        else:
            outcome = await self._coalescer.submit(
                command, user=command.user_id, deadline_seconds=self._deadline_seconds
            )
        if outcome is IssueRefusal.BROKER_UNAVAILABLE:
            raise BrokerUnavailable("messages wait for too long")
        COUPON_ISSUES.labels(_result(outcome)).inc()
        return outcome

    async def drain(self) -> None:
        """Refuse new commands, and return when those that wait have their outcome."""
        await self._coalescer.drain()


class CouponReads:
    """Coupons, and one's own issues of them, on the primary."""

    def __init__(self, database: Database, *, deadline_seconds: float) -> None:
        """Read from this database, within the deadline."""
        self._database = database
        self._coupons = MySqlCoupons(database)
        self._by_id: CoalescedReads[CouponId, Coupon] = CoalescedReads(
            self._find, name="coupon-by-id", limits=PUBLIC_READS, deadline_seconds=deadline_seconds
        )
        self._issues: CoalescedReads[_IssueKey, Issue] = CoalescedReads(
            self._find_issues, name="coupon-issue-by-id", limits=OWN_READS, deadline_seconds=deadline_seconds
        )

    async def find(self, coupon_id: CouponId) -> Coupon | None:
        """Return the coupon; None if there is none."""
        return await self._by_id.find(coupon_id)

    async def find_issue(self, issue_id: IssueId, *, user_id: UserId) -> Issue | None:
        """Return the issue; None if there is none, or it is another user's."""
        return await self._issues.find((user_id, issue_id), user=user_id)

    async def drain(self) -> None:
        """Refuse new reads, and return when those that wait are done."""
        await self._by_id.drain()
        await self._issues.drain()

    async def _find(self, coupon_ids: Collection[CouponId]) -> Mapping[CouponId, Coupon]:
        return (await self._coupons.find(coupon_ids)).coupons

    async def _find_issues(self, keys: Collection[_IssueKey]) -> Mapping[_IssueKey, Issue]:
        async with self._database.reading() as connection:
            return await MySqlIssueRepository(connection).find(keys)


def issue_commands(ground: Ground, client: Redis, circuits: Circuits) -> IssueCommands:
    """Return the use case of issuing, put together; connects when it's used."""
    losers = RecentLosers(time.monotonic)
    ledger = MySqlLedger(
        ground.database,
        new_id=ground.new_id,
        may_write=ground.accepts,
        stored=ground.wakeups.send,
        settle_seconds=ground.deadline_seconds,
    )
    first_come = FirstCome(
        coupons=KnownCoupons(MySqlCoupons(ground.database), monotonic=time.monotonic, changed=losers.forget),
        gate=Gatekeeper(GuardedGate(RedisGate(client), circuits), observer=GateMeasures()),
        ledger=ledger,
        losers=losers,
        monotonic=time.monotonic,
    )
    return IssueCommands(first_come, losers, deadline_seconds=ground.deadline_seconds)


def _result(outcome: IssueOutcome) -> str:
    if isinstance(outcome, Issued):
        return "repeated" if outcome.repeated else "issued"
    return outcome.value
