"""What the coupon step needs from outside."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from doorbuster.coupons.coupon import Coupon, Issue
from doorbuster.coupons.model import CouponDecision, CouponState, Holding, Redemption
from doorbuster.kernel.ids import CouponId, IssueId, OrderId


class RedemptionRepository(Protocol):
    """Redemptions, coupons and issues, inside one transaction."""

    async def claim(self, order_ids: Collection[OrderId], now: datetime) -> Mapping[OrderId, Redemption]:
        """Return the redemption of each order, locked; NEW placeholders are made where there was none."""
        ...

    async def find_coupons(self, coupon_ids: Collection[CouponId]) -> Mapping[CouponId, Coupon]:
        """Return the coupons that exist, without a lock: `issued` may be older than it is."""
        ...

    async def lock_issues(
        self, holdings: Collection[Holding], issue_ids: Collection[IssueId]
    ) -> Mapping[IssueId, Issue]:
        """Return the issues that exist of those holdings and of those ids, locked."""
        ...

    async def save(self, before: CouponState, decision: CouponDecision) -> None:
        """Write what was decided on `before`.

        Raises:
            RowsChangedMeanwhile: an issue isn't redeemed any more by whom it was.
        """
        ...
