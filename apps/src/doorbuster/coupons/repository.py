"""Redemptions in MySQL: three statements a batch."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.coupons.model import CouponDecision, CouponRefusal, Redemption, RedemptionStatus
from doorbuster.coupons.tables import coupon_redemptions
from doorbuster.infra.mysql import rows
from doorbuster.kernel.ids import OrderId


class MySqlRedemptionRepository:
    """Redemptions, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on an open transaction."""
        self._connection = connection

    async def claim(self, order_ids: Collection[OrderId], now: datetime) -> Mapping[OrderId, Redemption]:
        """Return the redemption of each order, locked; NEW placeholders are made where there was none."""
        placeholders = [
            _values(Redemption(order_id=order_id, status=RedemptionStatus.NEW, updated_at=now))
            for order_id in order_ids
        ]
        claimed = await rows.claim(self._connection, coupon_redemptions, placeholders)
        return {row.order_id: _redemption(row) for row in claimed}

    async def save(self, decision: CouponDecision) -> None:
        """Write what was decided."""
        changed = [_values(redemption) for redemption in decision.redemptions]
        await rows.write(self._connection, coupon_redemptions, changed)


def _values(redemption: Redemption) -> dict[str, Any]:  # columns of several types
    return {
        "order_id": redemption.order_id,
        "status": redemption.status,
        "coupon_id": redemption.coupon_id,
        "reason": redemption.reason,
        "updated_at": redemption.updated_at,
    }


def _redemption(row: Row[Any]) -> Redemption:
    return Redemption(
        order_id=OrderId(row.order_id),
        status=RedemptionStatus(row.status),
        coupon_id=row.coupon_id,
        reason=None if row.reason is None else CouponRefusal(row.reason),
        updated_at=row.updated_at,
    )
