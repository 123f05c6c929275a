"""Coupons and issues for tests, as rows."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.coupons.coupon import Issue
from doorbuster.coupons.coupon_rows import issue_of
from doorbuster.coupons.tables import coupon_issues, coupons
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database

DAY = timedelta(days=1)


def coupon(number: int, **terms: object) -> Mapping[str, Any]:
    """Return the row of a coupon of 3 points that is valid today, with other terms where they are given."""
    now = datetime.now(UTC)
    return {
        "id": number,
        "name": f"coupon {number}",
        "kind": "fixed",
        "value": 3,
        "most_discount": None,
        "minimum_amount": 0,
        "total": 1_000,
        "issued": 0,
        "valid_from": now - DAY,
        "valid_until": now + DAY,
        "epoch": 0,
        "version": 1,
        **terms,
    }


def issue_id(coupon_id: int, user_id: int) -> UUID:
    """Return the id of a user's issue: users that ascend have ids that descend."""
    return UUID(int=coupon_id << 64 | (1 << 32) - user_id)


def issue(coupon_id: int, user_id: int, *, status: str = "ISSUED") -> Mapping[str, Any]:
    """Return the row of a user's issue that nothing redeems."""
    return {
        "id": issue_id(coupon_id, user_id),
        "coupon_id": coupon_id,
        "user_id": user_id,
        "status": status,
        "order_id": None,
        "redeemed_at": None,
        "created_at": datetime.now(UTC),
        "issued_at": None,
    }


async def give(
    connection: AsyncConnection, of_coupons: Iterable[Mapping[str, Any]], of_issues: Iterable[Mapping[str, Any]]
) -> None:
    """Insert coupons and issues."""
    await rows.add(connection, coupons, list(of_coupons))
    await rows.add(connection, coupon_issues, list(of_issues))


async def redeemed(database: Database) -> Mapping[UUID, int]:
    """Return the number of the order that redeems each issue which is redeemed now."""
    async with database.reading() as connection:
        found = [issue_of(row) for row in await connection.execute(select(coupon_issues))]
    assert all(_whole(each) for each in found)
    return {each.id: each.order_id.int for each in found if each.order_id is not None}


def _whole(each: Issue) -> bool:
    return (each.order_id is None) is (each.redeemed_at is None)
