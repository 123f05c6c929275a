from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import doorbuster.carts.tables
import doorbuster.coupons.tables
import doorbuster.deliveries.tables
import doorbuster.infra.mysql.tables
import doorbuster.orders.tables
import doorbuster.points.tables
import doorbuster.products.tables  # noqa: F401  # each adds its tables to the metadata
from doorbuster.infra.mysql.migrations import connected, migrate, migrate_back
from doorbuster.infra.mysql.schema import METADATA, OPTIONS
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.settings import MySqlSettings, Settings
from tests.integration.apps.servers import Servers

pytestmark = pytest.mark.integration

DATABASE = "doorbuster_migrations"
CHECKS = "SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()"
TABLE_FORMS = """
    SELECT DISTINCT ENGINE, TABLE_COLLATION FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'alembic_version'
"""


@pytest.fixture
def untouched(servers: Servers) -> Iterator[MySqlSettings]:
    """The settings of a database without any table."""
    servers.mysql.administer(0, f"CREATE DATABASE {DATABASE}; GRANT ALL ON {DATABASE}.* TO application")
    yield servers.settings.mysql.model_copy(update={"database": DATABASE})
    servers.mysql.administer(0, f"DROP DATABASE {DATABASE}")


def differences(settings: MySqlSettings) -> list[Any]:
    with connected(settings) as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA))


def tables(settings: MySqlSettings) -> set[str]:
    with connected(settings) as connection:
        return set(inspect(connection).get_table_names())


def test_the_migrations_make_what_the_tables_modules_say(untouched: MySqlSettings) -> None:
    migrate(untouched)

    assert differences(untouched) == []
    assert tables(untouched) == {*METADATA.tables, "alembic_version"}


def test_check_constraints_engine_and_collation_are_those_of_the_tables_modules(untouched: MySqlSettings) -> None:
    # Alembic's comparison sees none of these.
    migrate(untouched)

    with connected(untouched) as connection:
        checks = set(connection.execute(text(CHECKS)).scalars())
        forms = [tuple(row) for row in connection.execute(text(TABLE_FORMS))]
    assert checks == {
        "ck_products_price_positive",
        "ck_stock_available_not_negative",
        "ck_point_balances_balance_not_negative",
        "ck_coupons_issued_within_total",
        "ck_coupons_value_positive",
    }
    assert forms == [(OPTIONS["mysql_engine"], OPTIONS["mysql_collate"])]


def test_the_migrations_can_be_taken_back_and_run_again(untouched: MySqlSettings) -> None:
    migrate(untouched)
    migrate_back(untouched)

    assert tables(untouched) == {"alembic_version"}

    migrate(untouched)

    assert differences(untouched) == []


def test_a_migration_that_was_killed_in_between_goes_on(untouched: MySqlSettings) -> None:
    migrate(untouched)
    with connected(untouched) as connection:
        for statement in (
            "DELETE FROM alembic_version",
            "DROP TABLE orders",
            "DROP INDEX ix_outbox_published_at_seq ON outbox",
        ):
            connection.execute(text(statement))

    migrate(untouched)

    assert differences(untouched) == []


def test_a_database_that_is_up_to_date_stays_as_it_is(untouched: MySqlSettings) -> None:
    migrate(untouched)
    with connected(untouched) as connection:
        connection.execute(text("INSERT INTO stock VALUES (1, 10, 10)"))

    migrate(untouched)

    with connected(untouched) as connection:
        assert connection.execute(text("SELECT available FROM stock")).scalar_one() == 10


def test_without_a_primary_the_error_says_what_each_host_answered(settings: Settings) -> None:
    nobody = settings.mysql.model_copy(update={"hosts": ("127.0.0.1",), "port": 1})

    with pytest.raises(PrimaryUnavailable, match=r"127\.0\.0\.1: .*Can't connect"):
        migrate(nobody)
