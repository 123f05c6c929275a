"""The coupon group's decisions: one redemption an order, also for orders without a coupon (R14)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from doorbuster.contracts.bodies import (
    Body,
    CouponCancelled,
    CouponNone,
    CouponRejected,
    CouponReleased,
    CouponUsed,
    OrderCancelled,
    OrderCreated,
    PaymentCancelRequested,
)
from doorbuster.coupons.coupon import Coupon, Issue
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import CouponId, IssueId, OrderId, UserId


class RedemptionStatus(StrEnum):
    """Where the coupon group stands with an order."""

    NEW = "NEW"
    """A placeholder: nothing is decided."""
    NONE = "NONE"
    """The order has no coupon."""
    USED = "USED"
    """The order redeems its user's coupon."""
    REJECTED = "REJECTED"
    RELEASED = "RELEASED"
    """Was NONE or USED, and the order was cancelled; the coupon is free again."""
    CANCELLED = "CANCELLED"
    """The tombstone of a cancel that came before its order."""


class CouponRefusal(StrEnum):
    """Why an order's coupon can't be used; where several are true, the first of them."""

    UNKNOWN_COUPON = "unknown-coupon"
    NOT_ISSUED = "not-issued"
    """The order's user was never given one."""
    ALREADY_REDEEMED = "already-redeemed"
    """Another order of the user redeems it."""
    NOT_VALID_YET = "not-valid-yet"
    EXPIRED = "expired"
    BELOW_MINIMUM = "below-minimum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """The coupon group's one row of an order.

    Attributes:
        coupon_id: the order's coupon; None without one, and while the order hasn't come.
        issue_id: what is redeemed, or was until the cancel; None for a coupon that was never used, as is `discount`.
        discount: in points.
        reason: None unless REJECTED.
    """

    order_id: OrderId
    status: RedemptionStatus
    updated_at: datetime
    coupon_id: CouponId | None = None
    issue_id: IssueId | None = None
    discount: int | None = None
    reason: CouponRefusal | None = None


Holding = tuple[CouponId, UserId]
"""A coupon and a user, who has it at most once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What a batch may need beside its redemptions, each ascending.

    Attributes:
        coupons: are read.
        holdings: whose issues may be redeemed.
        issues: may be released.
    """

    coupons: tuple[CouponId, ...]
    holdings: tuple[Holding, ...]
    issues: tuple[IssueId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponState:
    """What a batch needs of the database; all but the coupons is locked.

    Attributes:
        redemptions: of every order in the batch; placeholders are NEW.
        coupons: those that exist of the needed ones.
        issues: those that exist of the needed ones.
    """

    redemptions: Mapping[OrderId, Redemption]
    coupons: Mapping[CouponId, Coupon]
    issues: Mapping[IssueId, Issue]


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponDecision:
    """What a batch changes.

    Attributes:
        redemptions: the rows that changed, with their new values, each order once.
        issues: the issues that changed, likewise; only which order redeems them since when.
        events: in the order of the bodies that they answer.
    """

    redemptions: tuple[Redemption, ...]
    issues: tuple[Issue, ...]
    events: tuple[Body, ...]


def needed(redemptions: Mapping[OrderId, Redemption], bodies: Iterable[Body]) -> Needed:
    """Return what the bodies may need."""
    holdings: set[Holding] = set()
    issues: set[IssueId] = set()
    for body in bodies:
        redemption = redemptions[OrderId(body.order_id)]
        if isinstance(body, OrderCreated) and body.coupon_id is not None and redemption.status is RedemptionStatus.NEW:
            holdings.add((CouponId(body.coupon_id), UserId(body.user_id)))
        # A cancel releases what is used already, or by an order earlier in this batch, which is counted above.
        if isinstance(body, OrderCancelled) and redemption.status is RedemptionStatus.USED and redemption.issue_id:
            issues.add(redemption.issue_id)
    coupons = {coupon_id for coupon_id, _ in holdings}
    return Needed(coupons=tuple(sorted(coupons)), holdings=tuple(sorted(holdings)), issues=tuple(sorted(issues)))


def decide(state: CouponState, bodies: Sequence[Body], now: datetime) -> CouponDecision:
    """Return what the bodies change and the answers to them, first come, first served.

    A coupon must be valid now, when the order is decided (R19), and not when it was placed: an order that waited too
    long is rejected.

    Raises:
        UnknownMessage: a body that the coupon group doesn't read.
    """
    ledger = _Ledger(state, now)
    for body in bodies:
        ledger.take(body)
    return ledger.decision()


class _Ledger:
    """The state as the batch goes on: what an earlier order redeemed is gone for a later one."""

    def __init__(self, state: CouponState, now: datetime) -> None:
        self._before = state
        self._now = now
        self._redemptions = dict(state.redemptions)
        self._issues = dict(state.issues)
        self._held: Mapping[Holding, IssueId] = {
            (issue.coupon_id, issue.user_id): issue.id for issue in state.issues.values()
        }
        self._events: list[Body] = []

    def take(self, body: Body) -> None:
        order_id = OrderId(body.order_id)
        redemption = self._redemptions[order_id]
        match body:
            case OrderCreated():
                redemption = self._created(redemption, body)
                self._events.append(_answer_to_order(redemption))
            case OrderCancelled():
                redemption = self._cancelled(redemption)
                self._events.append(CouponReleased(order_id=order_id))
            case PaymentCancelRequested():
                return
            case _:
                raise UnknownMessage(f"the coupon group doesn't read {body.type}")
        self._redemptions[order_id] = redemption

    def decision(self) -> CouponDecision:
        before = self._before
        return CouponDecision(
            redemptions=tuple(row for key, row in self._redemptions.items() if row != before.redemptions[key]),
            issues=tuple(row for key, row in self._issues.items() if row != before.issues[key]),
            events=tuple(self._events),
        )

    def _created(self, redemption: Redemption, order: OrderCreated) -> Redemption:
        if redemption.status is not RedemptionStatus.NEW:
            return redemption
        if order.coupon_id is None:
            return replace(redemption, status=RedemptionStatus.NONE, updated_at=self._now)
        coupon_id = CouponId(order.coupon_id)
        asked = replace(redemption, coupon_id=coupon_id, updated_at=self._now)
        coupon = self._before.coupons.get(coupon_id)
        issue = self._issue(coupon_id, UserId(order.user_id))
        reason = _refusal(coupon, issue, order, self._now)
        if coupon is None or issue is None or reason:
            return replace(asked, status=RedemptionStatus.REJECTED, reason=reason)
        self._issues[issue.id] = replace(issue, order_id=redemption.order_id, redeemed_at=self._now)
        return replace(asked, status=RedemptionStatus.USED, issue_id=issue.id, discount=coupon.discount(order.total))

    def _issue(self, coupon_id: CouponId, user_id: UserId) -> Issue | None:
        issue_id = self._held.get((coupon_id, user_id))
        return None if issue_id is None else self._issues[issue_id]

    def _cancelled(self, redemption: Redemption) -> Redemption:
        match redemption.status:
            case RedemptionStatus.NEW:
                return replace(redemption, status=RedemptionStatus.CANCELLED, updated_at=self._now)
            case RedemptionStatus.NONE:
                return replace(redemption, status=RedemptionStatus.RELEASED, updated_at=self._now)
            case RedemptionStatus.USED:
                self._release(redemption)
                return replace(redemption, status=RedemptionStatus.RELEASED, updated_at=self._now)
            case _:
                return redemption

    def _release(self, redemption: Redemption) -> None:
        # An issue that another order redeems is that order's, whatever this one remembers.
        if redemption.issue_id is None:
            return
        issue = self._issues.get(redemption.issue_id)
        if issue is not None and issue.order_id == redemption.order_id:
            self._issues[issue.id] = replace(issue, order_id=None, redeemed_at=None)


def _refusal(coupon: Coupon | None, issue: Issue | None, order: OrderCreated, now: datetime) -> CouponRefusal | None:
    if coupon is None:
        return CouponRefusal.UNKNOWN_COUPON
    # ACCEPTED is as good as ISSUED: the row is the truth, and the user was told so when it was committed (R16).
    if issue is None:
        return CouponRefusal.NOT_ISSUED
    if issue.order_id is not None:
        return CouponRefusal.ALREADY_REDEEMED
    if now < coupon.valid_from:
        return CouponRefusal.NOT_VALID_YET
    if now >= coupon.valid_until:
        return CouponRefusal.EXPIRED
    return CouponRefusal.BELOW_MINIMUM if order.total < coupon.minimum_amount else None


def _answer_to_order(redemption: Redemption) -> Body:
    order_id = redemption.order_id
    match redemption.status:
        case RedemptionStatus.NONE:
            return CouponNone(order_id=order_id)
        case RedemptionStatus.USED:
            return CouponUsed(order_id=order_id, discount=redemption.discount or 0)
        case RedemptionStatus.REJECTED:
            return CouponRejected(order_id=order_id, reason=redemption.reason or "")
        case RedemptionStatus.RELEASED:
            return CouponReleased(order_id=order_id)
        case _:
            return CouponCancelled(order_id=order_id)
