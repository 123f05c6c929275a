"""What the issue of coupons needs from outside: rows, a gate in front of them, and what is known of the coupons."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from doorbuster.coupons.coupon import Coupon, Issue
from doorbuster.coupons.issuing import Holder, IssueCoupon, IssueDecision, IssueOutcome, IssueState
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import CouponId, IssueId, UserId

# Old claims that one view of a coupon's gate shows; Redis does nothing else while it lists them.
MOST_OLD_CLAIMS = 500


class GateUnavailable(DoorbusterError):
    """The gate didn't answer in time, or not what was expected; perhaps it did what it was asked for."""


class GateState(StrEnum):
    """Whether a coupon's gate may be believed."""

    OPEN = "open"
    ABSENT = "absent"
    LOADING = "loading"
    OTHER_EPOCH = "other-epoch"
    UNAVAILABLE = "unavailable"
    """It wasn't asked, or didn't answer."""


class Claim(StrEnum):
    """What the gate says about one user and one coupon."""

    CLAIMED = "claimed"
    """Let through just now; the gate counts him from now on."""
    HELD = "held"
    """Was counted before: he has the coupon, or is about to."""
    SOLD_OUT = "sold-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who wants a coupon.

    Attributes:
        epoch: which gate is meant.
        user_ids: each once, in the order of their arrival.
    """

    coupon_id: CouponId
    epoch: int
    user_ids: Sequence[UserId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the gate says about all that want a coupon.

    Attributes:
        claims: of each user; empty unless the gate is OPEN, and then MySQL alone decides.
    """

    state: GateState
    claims: Mapping[UserId, Claim]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldClaim:
    """A claim without a row that anybody has seen; the marks tell it from a later one of the same user."""

    user_id: UserId
    mark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """A gate as it is.

    Attributes:
        epoch: whose it is; None when it is absent.
        loading_seconds: how long it has been loading; None when it isn't.
        total: units that it gives away; None when it is absent.
        claims: users that it counts.
        confirmed: those of them that had their row when somebody looked.
        old: claims that should have their row by now, or never will; the oldest MOST_OLD_CLAIMS of them.
    """

    epoch: int | None
    loading_seconds: float | None
    total: int | None
    claims: int
    confirmed: int
    old: Sequence[OldClaim]

    def state(self, epoch: int) -> GateState:
        """Return what the gate answers to who asks for this epoch."""
        if self.epoch is None:
            return GateState.ABSENT
        if self.epoch != epoch:
            return GateState.OTHER_EPOCH
        return GateState.OPEN if self.loading_seconds is None else GateState.LOADING


class IssueGate(Protocol):
    """Counts who was let through, in front of the database. Every method raises GateUnavailable, and ends soon.

    It may err only towards letting too many through (R16).
    """

    async def claim(self, asked: Sequence[Asked]) -> Mapping[CouponId, Admission]:
        """Return for each coupon what the gate says, by one call; each coupon stands in `asked` once."""
        ...

    async def release(self, asked: Sequence[Asked]) -> None:
        """Take back the claims of these users, who didn't have the coupon when they were refused.

        Who was confirmed meanwhile stays: he has it by now. Of another epoch there are no claims.
        """
        ...

    async def confirm(self, coupon_id: CouponId, epoch: int, user_ids: Collection[UserId]) -> bool:
        """Count these users, who have their rows; False if the gate is of another epoch by now."""
        ...


class GateRepair(Protocol):
    """What a gate is looked after with. Every method raises GateUnavailable."""

    async def view(self, coupon_ids: Sequence[CouponId], *, older_than_seconds: float) -> Mapping[CouponId, GateView]:
        """Return every coupon's gate, with the claims that are older and not confirmed."""
        ...

    async def confirm(self, coupon_id: CouponId, epoch: int, user_ids: Collection[UserId]) -> bool:
        """Count these users, who have their rows; False if the gate is of another epoch by now."""
        ...

    async def release_old(self, coupon_id: CouponId, epoch: int, claims: Sequence[OldClaim]) -> int:
        """Take back the claims that are still the same; return how many that were."""
        ...

    async def begin(self, coupon: Coupon) -> bool:
        """Replace the gate by an empty one that is loading, of the coupon's epoch; False if a later one is there."""
        ...

    async def open(self, coupon_id: CouponId, epoch: int) -> bool:
        """Let the gate decide from now on; False if it is of another epoch by now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponsThen:
    """Coupons at one moment.

    Attributes:
        now: that moment, by the database's clock.
        coupons: those that exist.
    """

    now: datetime
    coupons: Mapping[CouponId, Coupon]


class CouponSource(Protocol):
    """Reads coupons on the primary."""

    async def find(self, coupon_ids: Collection[CouponId]) -> CouponsThen:
        """Return the coupons that exist; raises NotAccepted."""
        ...


class Ledger(Protocol):
    """Issues coupons in the database: there alone it is decided."""

    async def issue(self, commands: Sequence[IssueCoupon]) -> Sequence[IssueOutcome | DoorbusterError]:
        """Return the outcome of each command, or what its caller is to be told: OutcomeUnknown if perhaps it is."""
        ...


class IssueRepository(Protocol):
    """Coupons and issues, inside one transaction; call in the order in which the methods stand here (R8)."""

    async def lock_coupons(self, coupon_ids: Collection[CouponId]) -> Mapping[CouponId, Coupon]:
        """Return the coupons that exist, locked."""
        ...

    async def find_issues(self, holders: Collection[Holder]) -> Mapping[Holder, Issue]:
        """Return the issues that exist; whoever has locked their coupons misses none."""
        ...

    async def save(self, before: IssueState, decision: IssueDecision) -> None:
        """Write what was decided on `before`.

        Raises:
            NotAccepted: a counter isn't any more what it was.
        """
        ...


class IssuerRepository(Protocol):
    """Issues that are to become ISSUED, inside one transaction."""

    async def finish(self, issue_ids: Collection[IssueId], now: datetime) -> int:
        """Set those that are ACCEPTED to ISSUED; return how many that were."""
        ...


class CouponKeeping(Protocol):
    """What the upkeep of gates reads and writes on the primary. Every method raises NotAccepted or OutcomeUnknown."""

    async def open_coupons(self, *, after: CouponId, most: int) -> Sequence[Coupon]:
        """Return coupons that haven't ended, behind `after`, ascending by id."""
        ...

    async def find(self, coupon_ids: Collection[CouponId]) -> CouponsThen:
        """Return the coupons that exist."""
        ...

    async def holders(self, coupon_id: CouponId, *, after: UserId, most: int) -> Sequence[UserId]:
        """Return users who have the coupon, behind `after`, ascending."""
        ...

    async def holding(self, coupon_id: CouponId, user_ids: Collection[UserId]) -> frozenset[UserId]:
        """Return those of the users who have the coupon."""
        ...

    async def next_epoch(self, coupon_id: CouponId, *, behind: int) -> Coupon | None:
        """Give the coupon an epoch behind its own and `behind`; return it, or None if there is no such coupon."""
        ...
