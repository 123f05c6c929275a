"""The auditor on coupons whose counters and redemptions somebody has changed behind everybody's back."""

import pytest
from sqlalchemy import text

from doorbuster.audit.model import Invariant
from doorbuster.bootstrap.audit import Auditor
from doorbuster.infra.mysql.database import Database
from doorbuster.settings import AuditSettings

pytestmark = pytest.mark.integration

FREE, HELD, ORDER = (f"X'{number:032X}'" for number in (1, 2, 3))
HEALTHY = (
    "INSERT INTO coupons VALUES (7, 'Spring', 'fixed', 100, NULL, 0, 2, 2, '2026-01-01', '2027-01-01', 1, 1)",
    f"INSERT INTO coupon_issues (id, coupon_id, user_id, status, order_id, created_at)"
    f" VALUES ({FREE}, 7, 1, 'ISSUED', NULL, NOW(6)), ({HELD}, 7, 2, 'ISSUED', {ORDER}, NOW(6))",
    f"INSERT INTO coupon_redemptions (order_id, status, coupon_id, issue_id, discount, updated_at)"
    f" VALUES ({ORDER}, 'USED', 7, {HELD}, 100, NOW(6))",
)


@pytest.fixture
async def healthy(database: Database) -> Database:
    """Return a database with a coupon, an issue that nothing redeems, and one that an order holds."""
    async with database.transaction() as connection:
        for statement in HEALTHY:
            await connection.execute(text(statement))
    return database


async def wrong_coupons(database: Database) -> set[tuple[str, str]]:
    """Subject and id of what breaks the invariant of coupons; orders there are none here."""
    report = await Auditor(database, AuditSettings()).scan()
    return {(breach.subject.value, breach.shown_id) for breach in report.shown(Invariant.COUPONS)}


async def test_counted_issues_and_redemptions_that_hold_their_issue_are_right(healthy: Database) -> None:
    assert await wrong_coupons(healthy) == set()


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("UPDATE coupons SET issued = 1", {("coupon", "7")}),
        (f"DELETE FROM coupon_issues WHERE id = {FREE}", {("coupon", "7")}),
        (
            "INSERT INTO coupon_issues (id, coupon_id, user_id, status, created_at)"
            " VALUES (X'00000000000000000000000000000009', 7, 9, 'ISSUED', NOW(6))",
            {("coupon", "7")},
        ),
        (
            "UPDATE coupon_issues SET status = 'ACCEPTED', created_at = NOW(6) - INTERVAL 301 SECOND"
            f" WHERE id = {FREE}",
            {("issue", "00000000-0000-0000-0000-000000000001")},
        ),
        (
            f"UPDATE coupon_issues SET order_id = NULL WHERE id = {HELD}",
            {("order", "00000000-0000-0000-0000-000000000003")},
        ),
        (
            f"UPDATE coupon_issues SET order_id = {ORDER} WHERE id = {FREE}",
            {("issue", "00000000-0000-0000-0000-000000000001")},
        ),
        (
            "UPDATE coupon_redemptions SET status = 'RELEASED'",
            {
                ("order", "00000000-0000-0000-0000-000000000003"),
                ("issue", "00000000-0000-0000-0000-000000000002"),
            },
        ),
    ],
)
async def test_a_wrong_counter_and_a_coupon_that_is_used_twice_or_held_for_nothing_are_named(
    healthy: Database, planted: str, found: set[tuple[str, str]]
) -> None:
    async with healthy.transaction() as connection:
        assert (await connection.execute(text(planted))).rowcount == 1

    assert await wrong_coupons(healthy) == found
