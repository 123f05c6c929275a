"""Coupons and issues as their tables hold them, for both repositories and the seed."""

from typing import Any

from sqlalchemy import Row

from doorbuster.coupons.coupon import Coupon, CouponKind, Issue, IssueStatus
from doorbuster.coupons.tables import coupon_issues, coupons
from doorbuster.kernel.ids import CouponId, IssueId, UserId


def coupon_of(row: Row[Any]) -> Coupon:  # columns of several types
    """Return the coupon that a row holds."""
    return Coupon(
        id=CouponId(row.id),
        name=row.name,
        kind=CouponKind(row.kind),
        value=row.value,
        most_discount=row.most_discount,
        minimum_amount=row.minimum_amount,
        total=row.total,
        issued=row.issued,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        epoch=row.epoch,
        version=row.version,
    )


def issue_of(row: Row[Any]) -> Issue:  # columns of several types
    """Return the issue that a row holds."""
    return Issue(
        id=IssueId(row.id),
        coupon_id=CouponId(row.coupon_id),
        user_id=UserId(row.user_id),
        status=IssueStatus(row.status),
        created_at=row.created_at,
        issued_at=row.issued_at,
        order_id=row.order_id,
        redeemed_at=row.redeemed_at,
    )


def coupon_values(coupon: Coupon) -> dict[str, object]:
    """Return the row of a coupon; the columns are named as its fields."""
    return {column.name: getattr(coupon, column.name) for column in coupons.columns}


def issue_values(issue: Issue) -> dict[str, object]:
    """Return the row of an issue; the columns are named as its fields."""
    return {column.name: getattr(issue, column.name) for column in coupon_issues.columns}
