"""What a coupon is, who holds one, and how much it takes off an order."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from doorbuster.kernel.ids import CouponId, IssueId, OrderId, UserId

FIRST_EPOCH = 1
"""Of a new coupon's gate: one that was never made is of none (R16)."""


class CouponKind(StrEnum):
    """How a coupon's value is meant."""

    PERCENTAGE = "percentage"
    """So many percent of the order's total, rounded down to whole points."""
    FIXED = "fixed"
    """So many points."""


class IssueStatus(StrEnum):
    """How far the issue of a coupon has come; the row is the truth, so both may be redeemed (R16)."""

    ACCEPTED = "ACCEPTED"
    """Decided and counted; the user was told so."""
    ISSUED = "ISSUED"
    """The issuer group has seen it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A coupon that can be issued to users, as its row says.

    Attributes:
        value: percent or points, as `kind` says; above 0.
        most_discount: the upper end of a percentage, in points; None means none.
        minimum_amount: points that an order's total must reach.
        total: how many may be issued.
        issued: how many were.
        valid_from: the first moment in which an order may redeem it.
        valid_until: the first moment in which none may any more.
        epoch: of the gate in Redis (R16).
        version: grows with each change of the coupon itself, not of `issued`.
    """

    id: CouponId
    name: str
    kind: CouponKind
    value: int
    minimum_amount: int
    total: int
    issued: int
    valid_from: datetime
    valid_until: datetime
    most_discount: int | None = None
    epoch: int = 0
    version: int = 1

    def discount(self, total: int) -> int:
        """Return the points that it takes off an order's total; never more than that total."""
        if self.kind is CouponKind.FIXED:
            return min(self.value, total)
        discount = total * self.value // 100
        return min(discount, total) if self.most_discount is None else min(discount, total, self.most_discount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A user's one coupon of a kind.

    Attributes:
        order_id: the order that redeems it now; None when none does, as is `redeemed_at`.
        issued_at: when it became ISSUED; None while ACCEPTED.
    """

    id: IssueId
    coupon_id: CouponId
    user_id: UserId
    status: IssueStatus
    created_at: datetime
    issued_at: datetime | None = None
    order_id: OrderId | None = None
    redeemed_at: datetime | None = None
