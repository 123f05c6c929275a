"""The auditor on coupons, in a database of its own that has their tables in any case."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text

from doorbuster.audit.model import Invariant
from doorbuster.bootstrap.audit import Auditor
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.migrations import connected, migrate
from doorbuster.settings import AuditSettings, MySqlSettings
from tests.integration.apps.servers import Servers

pytestmark = pytest.mark.integration

DATABASE = "doorbuster_audit_of_coupons"
COUPONS = """
    CREATE TABLE IF NOT EXISTS coupons (
      id BIGINT PRIMARY KEY, name VARCHAR(200) NOT NULL, kind VARCHAR(16) NOT NULL, value BIGINT NOT NULL,
      most_discount BIGINT, minimum_amount BIGINT NOT NULL, total BIGINT NOT NULL, issued BIGINT NOT NULL,
      valid_from DATETIME(6) NOT NULL, valid_until DATETIME(6) NOT NULL, epoch INT NOT NULL, version INT NOT NULL)
"""
ISSUES = """
    CREATE TABLE IF NOT EXISTS coupon_issues (
      id BINARY(16) PRIMARY KEY, coupon_id BIGINT NOT NULL, user_id BIGINT NOT NULL, status VARCHAR(16) NOT NULL,
      order_id BINARY(16), redeemed_at DATETIME(6), created_at DATETIME(6) NOT NULL, issued_at DATETIME(6),
      UNIQUE (coupon_id, user_id))
"""
HAS_DISCOUNT = """
    SELECT COUNT(*) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'coupon_redemptions' AND column_name = 'discount'
"""
FREE, HELD, ORDER = (f"X'{number:032X}'" for number in (1, 2, 3))
HEALTHY = (
    "INSERT INTO coupons VALUES (7, 'Spring', 'FIXED', 100, NULL, 0, 2, 2, '2026-01-01', '2027-01-01', 1, 1)",
    f"INSERT INTO coupon_issues (id, coupon_id, user_id, status, order_id, created_at)"
    f" VALUES ({FREE}, 7, 1, 'ISSUED', NULL, NOW(6)), ({HELD}, 7, 2, 'ISSUED', {ORDER}, NOW(6))",
    f"INSERT INTO coupon_redemptions (order_id, status, coupon_id, issue_id, discount, updated_at)"
    f" VALUES ({ORDER}, 'USED', 7, {HELD}, 100, NOW(6))",
)


@pytest.fixture
def with_coupons(servers: Servers) -> Iterator[MySqlSettings]:
    """The settings of a database with the tables of coupons."""
    servers.mysql.administer(0, f"CREATE DATABASE {DATABASE}; GRANT ALL ON {DATABASE}.* TO application")
    settings = servers.settings.mysql.model_copy(update={"database": DATABASE})
    migrate(settings)
    with connected(settings) as connection:
        connection.execute(text(COUPONS))
        connection.execute(text(ISSUES))
        if connection.execute(text(HAS_DISCOUNT)).scalar_one() == 0:
            connection.execute(
                text("ALTER TABLE coupon_redemptions ADD COLUMN issue_id BINARY(16), ADD COLUMN discount BIGINT")
            )
    yield settings
    servers.mysql.administer(0, f"DROP DATABASE {DATABASE}")


@pytest.fixture
async def database(with_coupons: MySqlSettings) -> AsyncIterator[Database]:
    database = Database(with_coupons)
    async with database.transaction() as connection:
        for statement in HEALTHY:
            await connection.execute(text(statement))
    yield database
    await database.close()


async def wrong_coupons(database: Database) -> set[tuple[str, str]]:
    """Subject and id of what breaks the invariant of coupons; orders there are none here."""
    report = await Auditor(database, AuditSettings()).scan()
    return {(breach.subject.value, breach.shown_id) for breach in report.shown(Invariant.COUPONS)}


async def test_counted_issues_and_redemptions_that_hold_their_issue_are_right(database: Database) -> None:
    assert await wrong_coupons(database) == set()


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
    database: Database, planted: str, found: set[tuple[str, str]]
) -> None:
    async with database.transaction() as connection:
        assert (await connection.execute(text(planted))).rowcount == 1

    assert await wrong_coupons(database) == found
