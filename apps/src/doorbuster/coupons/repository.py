"""Redemptions and issues in MySQL: three statements a batch, and four more with coupons in it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, case, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.coupons.coupon import Coupon, Issue
from doorbuster.coupons.coupon_rows import coupon_of, issue_of
from doorbuster.coupons.model import (
    CouponDecision,
    CouponRefusal,
    CouponState,
    Holding,
    Redemption,
    RedemptionStatus,
)
from doorbuster.coupons.tables import coupon_issues, coupon_redemptions, coupons
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.rows import RowsChangedMeanwhile
from doorbuster.infra.mysql.schema import Instant, UuidBytes
from doorbuster.kernel.ids import CouponId, IssueId, OrderId


class MySqlRedemptionRepository:
    """Redemptions, coupons and issues, inside one transaction."""

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

    async def find_coupons(self, coupon_ids: Collection[CouponId]) -> Mapping[CouponId, Coupon]:
        """Return the coupons that exist, without a lock: `issued` may be older than it is."""
        return {row.id: coupon_of(row) for row in await rows.find(self._connection, coupons, coupon_ids)}

    async def lock_issues(
        self, holdings: Collection[Holding], issue_ids: Collection[IssueId]
    ) -> Mapping[IssueId, Issue]:
        """Return the issues that exist of those holdings and of those ids, locked."""
        # Holdings are looked up without a lock, and all rows are then locked in the one order of their ids (R8): who
        # sets issues ISSUED has only those. An issue never changes its holder, and no row goes away.
        wanted = {*issue_ids, *await self._held(holdings)}
        return {row.id: issue_of(row) for row in await rows.lock(self._connection, coupon_issues, wanted)}

    async def save(self, before: CouponState, decision: CouponDecision) -> None:
        """Write what was decided on `before`.

        Raises:
            RowsChangedMeanwhile: an issue isn't redeemed any more by whom it was.
        """
        changed = [_values(redemption) for redemption in decision.redemptions]
        await rows.write(self._connection, coupon_redemptions, changed)
        await self._redeem(before.issues, sorted(decision.issues, key=lambda issue: issue.id))

    async def _held(self, holdings: Collection[Holding]) -> Sequence[IssueId]:
        if not holdings:
            return ()
        columns = coupon_issues.c
        those = tuple_(columns.coupon_id, columns.user_id).in_(sorted(holdings))
        return [IssueId(found) for found in (await self._connection.execute(select(columns.id).where(those))).scalars()]

    async def _redeem(self, before: Mapping[IssueId, Issue], after: Sequence[Issue]) -> None:
        if not after:
            return
        columns = coupon_issues.c
        was = _by_id({issue.id: literal(before[issue.id].order_id, UuidBytes) for issue in after})
        statement = (
            update(coupon_issues)
            .with_hint(rows.BY_KEY, coupon_issues)
            .where(columns.id.in_([issue.id for issue in after]), columns.order_id.is_not_distinct_from(was))
            .values(
                order_id=_by_id({issue.id: literal(issue.order_id, UuidBytes) for issue in after}),
                redeemed_at=_by_id({issue.id: literal(issue.redeemed_at, Instant) for issue in after}),
            )
        )
        result = await self._connection.execute(statement)
        if result.rowcount != len(after):
            raise RowsChangedMeanwhile(f"{result.rowcount} of {len(after)} issues are as they were")


def _by_id(values: Mapping[IssueId, ColumnElement[Any]]) -> ColumnElement[Any]:
    # Typed by hand: a plain UUID would be bound as text.
    return case(*((coupon_issues.c.id == issue_id, value) for issue_id, value in values.items()))


def _values(redemption: Redemption) -> dict[str, Any]:  # columns of several types
    return {
        "order_id": redemption.order_id,
        "status": redemption.status,
        "coupon_id": redemption.coupon_id,
        "issue_id": redemption.issue_id,
        "discount": redemption.discount,
        "reason": redemption.reason,
        "updated_at": redemption.updated_at,
    }


def _redemption(row: Row[Any]) -> Redemption:
    return Redemption(
        order_id=OrderId(row.order_id),
        status=RedemptionStatus(row.status),
        coupon_id=row.coupon_id,
        issue_id=row.issue_id,
        discount=row.discount,
        reason=None if row.reason is None else CouponRefusal(row.reason),
        updated_at=row.updated_at,
    )
