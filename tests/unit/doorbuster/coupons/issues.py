"""Coupons, commands and a database of issues in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from doorbuster.coupons.coupon import Coupon, CouponKind, Issue
from doorbuster.coupons.issue_ports import CouponsThen
from doorbuster.coupons.issuing import Holder, IssueCoupon, IssueOutcome, IssueState, decide
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import CouponId, IssueId, UserId

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
COUPON, OTHER, UNKNOWN = CouponId(1), CouponId(2), CouponId(99)


class Clock:
    """Seconds that only grow when a test says so."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def coupon(coupon_id: CouponId = COUPON, *, total: int = 5, issued: int = 0, epoch: int = 1) -> Coupon:
    return Coupon(
        id=coupon_id,
        name="a tenth",
        kind=CouponKind.PERCENTAGE,
        value=10,
        minimum_amount=0,
        total=total,
        issued=issued,
        valid_from=NOW - timedelta(hours=1),
        valid_until=NOW + timedelta(hours=1),
        epoch=epoch,
    )


def command(number: int, user: int, coupon_id: CouponId = COUPON) -> IssueCoupon:
    return IssueCoupon(issue_id=IssueId(UUID(int=number)), coupon_id=coupon_id, user_id=UserId(user))


@dataclass
class MemoryCoupons:
    """Keeps coupons and issues as the database does: decides alone, and never issues too many.

    Attributes:
        failures: what comes instead of the outcomes of the next batches; None means nothing.
    """

    coupons: dict[CouponId, Coupon] = field(default_factory=lambda: {COUPON: coupon()})
    issues: dict[Holder, Issue] = field(default_factory=dict)
    now: datetime = NOW
    failures: list[DoorbusterError | None] = field(default_factory=list)
    batches: list[Sequence[IssueCoupon]] = field(default_factory=list)
    reads: int = 0

    async def issue(self, commands: Sequence[IssueCoupon]) -> Sequence[IssueOutcome | DoorbusterError]:
        self.batches.append(commands)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            return [failure] * len(commands)
        decision = decide(IssueState(coupons=self.coupons, issues=self.issues), commands, self.now)
        for coupon_id, issued in decision.issued.items():
            self.coupons[coupon_id] = replace(self.coupons[coupon_id], issued=issued)
        self.issues |= {(issue.coupon_id, issue.user_id): issue for issue in decision.issues}
        return decision.outcomes

    async def find(self, coupon_ids: Collection[CouponId]) -> CouponsThen:
        self.reads += 1
        found: Mapping[CouponId, Coupon] = {key: row for key, row in self.coupons.items() if key in coupon_ids}
        return CouponsThen(now=self.now, coupons=found)

    async def open_coupons(self, *, after: CouponId, most: int) -> Sequence[Coupon]:
        found = [row for key, row in sorted(self.coupons.items()) if key > after and row.valid_until > self.now]
        return found[:most]

    async def holders(self, coupon_id: CouponId, *, after: UserId, most: int) -> Sequence[UserId]:
        return sorted(user for key, user in self.issues if key == coupon_id and user > after)[:most]

    async def holding(self, coupon_id: CouponId, user_ids: Collection[UserId]) -> frozenset[UserId]:
        return frozenset(user for key, user in self.issues if key == coupon_id and user in user_ids)

    async def next_epoch(self, coupon_id: CouponId, *, behind: int) -> Coupon | None:
        known = self.coupons.get(coupon_id)
        if known is None:
            return None
        self.coupons[coupon_id] = replace(known, epoch=max(known.epoch, behind) + 1)
        return self.coupons[coupon_id]
