"""What the coupon step needs from outside."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from doorbuster.coupons.model import CouponDecision, Redemption
from doorbuster.kernel.ids import OrderId


class RedemptionRepository(Protocol):
    """Redemptions, inside one transaction."""

    async def claim(self, order_ids: Collection[OrderId], now: datetime) -> Mapping[OrderId, Redemption]:
        """Return the redemption of each order, locked; NEW placeholders are made where there was none."""
        ...

    async def save(self, decision: CouponDecision) -> None:
        """Write what was decided."""
        ...
