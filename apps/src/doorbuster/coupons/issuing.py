"""Issuing coupons, first come first served: what a batch decides on rows that it has locked (R16). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from doorbuster.coupons.coupon import Coupon, Issue, IssueStatus
from doorbuster.kernel.ids import CouponId, IssueId, UserId

# The key of an issue (R16): whoever asks again is given the same one.
Holder: TypeAlias = tuple[CouponId, UserId]


class IssueRefusal(StrEnum):
    """Why a user isn't given a coupon."""

    UNKNOWN_COUPON = "unknown-coupon"
    NOT_YET = "not-yet"
    ENDED = "ended"
    SOLD_OUT = "sold-out"
    BROKER_UNAVAILABLE = "broker-unavailable"
    """Messages wait for Kafka for too long (R17)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCoupon:
    """A user wants a coupon.

    Attributes:
        issue_id: minted by the route, once a request; of no meaning when the user has the coupon already.
    """

    issue_id: IssueId
    coupon_id: CouponId
    user_id: UserId

    @property
    def holder(self) -> Holder:
        """The key of the issue."""
        return self.coupon_id, self.user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The outcome of a command whose user has the coupon now.

    Attributes:
        repeated: he had it before.
        epoch: of the coupon's gate in the moment of the decision: that gate must count him. No part of the outcome.
    """

    issue: Issue
    repeated: bool
    epoch: int = field(default=0, compare=False)


IssueOutcome: TypeAlias = Issued | IssueRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueState:
    """What a batch needs of the database.

    Attributes:
        coupons: those that exist of the ones that are wanted, locked.
        issues: those that its users have already.
    """

    coupons: Mapping[CouponId, Coupon]
    issues: Mapping[Holder, Issue]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueDecision:
    """What a batch changes.

    Attributes:
        outcomes: one for each command, in their order.
        issued: the new counters of the coupons whose counter changes.
        issues: the new ones.
    """

    outcomes: tuple[IssueOutcome, ...]
    issued: Mapping[CouponId, int]
    issues: tuple[Issue, ...]


def decide(
    state: IssueState, commands: Sequence[IssueCoupon], now: datetime, *, may_write: bool = True
) -> IssueDecision:
    """Return what becomes of the commands, who comes first being served first.

    Args:
        state: the coupons, locked, and the issues that there are.
        commands: in the order of their arrival.
        now: by the database's clock (R19).
        may_write: False while messages don't flow: who has the coupon is told so, nobody else is given one (R17).
    """
    coupons, issues = dict(state.coupons), dict(state.issues)
    outcomes: list[IssueOutcome] = []
    new: list[Issue] = []
    for command in commands:
        held = issues.get(command.holder)
        if held is not None:
            # Our own COMMIT whose answer got lost is no repeat (R2).
            epoch = coupons[command.coupon_id].epoch if command.coupon_id in coupons else 0
            outcomes.append(Issued(issue=held, repeated=held.id != command.issue_id, epoch=epoch))
            continue
        refusal = _refusal(coupons.get(command.coupon_id), now, may_write=may_write)
        if refusal is not None:
            outcomes.append(refusal)
            continue
        issue = _issue(command, now)
        coupon = coupons[command.coupon_id]
        coupons[command.coupon_id] = replace(coupon, issued=coupon.issued + 1)
        issues[command.holder] = issue
        new.append(issue)
        outcomes.append(Issued(issue=issue, repeated=False, epoch=coupon.epoch))
    issued = {key: coupon.issued for key, coupon in coupons.items() if coupon != state.coupons[key]}
    return IssueDecision(outcomes=tuple(outcomes), issued=issued, issues=tuple(new))


def _refusal(coupon: Coupon | None, now: datetime, *, may_write: bool) -> IssueRefusal | None:
    if coupon is None:
        return IssueRefusal.UNKNOWN_COUPON
    if now < coupon.valid_from:
        return IssueRefusal.NOT_YET
    if now >= coupon.valid_until:
        return IssueRefusal.ENDED
    if coupon.issued >= coupon.total:
        return IssueRefusal.SOLD_OUT
    return None if may_write else IssueRefusal.BROKER_UNAVAILABLE


def _issue(command: IssueCoupon, now: datetime) -> Issue:
    return Issue(
        id=command.issue_id,
        coupon_id=command.coupon_id,
        user_id=command.user_id,
        status=IssueStatus.ACCEPTED,
        created_at=now,
    )
