"""The auditor on real tables: silent at every moment of an order, and each planted breach is found with its id."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from doorbuster.audit.model import Findings, Invariant, Report, Waiting
from doorbuster.audit.snapshot import open_snapshot
from doorbuster.audit.sums import SALES, STOCK, compare_all
from doorbuster.bootstrap.audit import Auditor, audit_once, limits_of
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.points.tables import point_balances
from doorbuster.settings import AuditSettings, Settings
from tests.integration.apps.planted_breaches import PLANTED, Planted, hexed
from tests.integration.apps.processes import SOURCES, Application, environment_of, running
from tests.integration.apps.small_shop import (
    PAID,
    TOO_DEAR,
    TOO_MANY,
    deliver,
    open_shop,
    place,
)
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

SETTINGS = AuditSettings()
JOB_SECONDS = 60
WAIT_SECONDS = 20
Found = dict[Invariant, set[str]]


@pytest.fixture
async def shop(database: Database) -> Database:
    await open_shop(database)
    return database


@pytest.fixture
async def sold(shop: Database) -> Database:
    await deliver(shop, await place(shop))
    return shop


each_planted = pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED.keys())


async def change(database: Database, *statements: str) -> None:
    async with database.transaction() as connection:
        for statement in statements:
            changed = await connection.execute(text(statement))
            assert changed.rowcount >= 1, statement


def found(report: Report) -> Found:
    """The shown ids by invariant; none without any."""
    return {each: {breach.shown_id for breach in report.shown(each)} for each in Invariant if report.counts.get(each)}


async def test_nothing_is_broken_after_any_step_of_orders_that_are_paid_refused_and_compensated(
    shop: Database,
) -> None:
    auditor = Auditor(shop, SETTINGS)
    await auditor.scan()

    async def nothing_is_broken(step: str) -> None:
        assert found(await auditor.scan()) == {}, f"all, after {step}"
        assert found(await auditor.look()) == {}, f"changes, after {step}"

    events = await place(shop)
    placed = await auditor.look()
    await deliver(shop, events, nothing_is_broken)

    async with shop.reading() as connection:
        rows = await connection.execute(text("SELECT status, failure_reason FROM orders ORDER BY id"))
    assert [tuple(row) for row in rows] == [
        ("PAID", None), ("FAILED", "out-of-stock"), ("FAILED", "insufficient-points")
    ]  # fmt: skip
    assert (placed.waiting[Waiting.PENDING], placed.waiting[Waiting.UNPUBLISHED]) == (3, 3)


@each_planted
async def test_a_full_scan_names_what_was_planted_and_nothing_else(sold: Database, planted: Planted) -> None:
    assert found(await Auditor(sold, SETTINGS).scan()) == {}
    await change(sold, *planted.statements)

    assert found(await Auditor(sold, SETTINGS).scan()) == planted.found


@each_planted
async def test_a_look_at_what_has_changed_names_it_too(sold: Database, planted: Planted) -> None:
    auditor = Auditor(sold, SETTINGS)
    assert found(await auditor.scan()) == {}
    await change(sold, *planted.statements)

    report = await auditor.look()

    assert not report.full
    assert found(report) == (planted.found if planted.by_changes is None else planted.by_changes)


async def test_an_order_that_waits_for_too_long_and_a_message_too_are_breaches(shop: Database) -> None:
    await place(shop)
    hour = "created_at = created_at - INTERVAL 1 HOUR"
    await change(shop, f"UPDATE orders SET {hour}", f"UPDATE idempotency_keys SET {hour}",
                 f"UPDATE point_entries SET {hour}", f"UPDATE outbox SET {hour}")  # fmt: skip

    report = await Auditor(shop, SETTINGS).scan()
    patient = await Auditor(shop, AuditSettings(final_within_seconds=7200)).scan()

    assert found(report)[Invariant.ORDERS] == {str(PAID), str(TOO_MANY), str(TOO_DEAR)}
    assert (report.counts[Invariant.OUTBOX], len(found(report))) == (3, 2)
    assert found(patient).keys() == {Invariant.OUTBOX}


async def test_what_was_broken_is_looked_at_until_it_is_right_however_old_it_is(sold: Database) -> None:
    long_ago = "- INTERVAL 1 HOUR"
    await change(
        sold,
        f"UPDATE orders SET finished_at = finished_at {long_ago}",
        f"UPDATE stock_reservations SET updated_at = updated_at {long_ago}",
        f"UPDATE point_entries SET created_at = created_at {long_ago} WHERE kind <> 'charge'",
        "UPDATE point_balances SET balance = balance + 1 WHERE user_id = 2",
        f"UPDATE payments SET amount = amount + 1 WHERE order_id = {hexed(PAID)}",
    )
    auditor = Auditor(sold, SETTINGS)
    expected = {Invariant.BALANCES: {"2"}, Invariant.PAYMENTS: {str(PAID)}}

    assert found(await auditor.scan()) == expected
    assert found(await auditor.look()) == expected
    await change(sold, "UPDATE point_balances SET balance = balance - 1 WHERE user_id = 2")
    assert found(await auditor.look()) == {Invariant.PAYMENTS: {str(PAID)}}
    await change(sold, f"UPDATE payments SET amount = amount - 1 WHERE order_id = {hexed(PAID)}")
    assert found(await auditor.look()) == {}


async def test_a_table_of_many_pages_is_read_to_its_end(sold: Database) -> None:
    users = [{"user_id": 1000 + number, "balance": 0} for number in range(1, 10_501)]
    async with sold.transaction() as connection:
        await connection.execute(point_balances.insert(), users)
    await change(sold, "UPDATE point_balances SET balance = 1 WHERE user_id IN (1001, 11500)")

    report = await Auditor(sold, SETTINGS).scan()

    assert report.looked_at["users"] == 10_502
    assert found(report) == {Invariant.BALANCES: {"1001", "11500"}}


async def test_more_products_than_memory_holds_are_compared_in_several_passes(sold: Database) -> None:
    await change(
        sold,
        f"UPDATE stock_reservations SET status = 'RESERVED' WHERE order_id = {hexed(TOO_DEAR)}",
        "UPDATE stock SET available = available - 2 WHERE product_id IN (1, 3)",
        "INSERT INTO product_sales VALUES (2, 1, 1, 1)",
    )

    async with sold.snapshot() as connection:
        snapshot = await open_snapshot(connection, limits_of(SETTINGS))
        findings = Findings()
        for comparison in (STOCK, SALES):
            await compare_all(snapshot, comparison, findings, most_products=1)

    assert {(breach.invariant, breach.id) for breach in findings.breaches} == {
        (Invariant.STOCK, 1), (Invariant.STOCK, 3), (Invariant.SALES, 2)
    }  # fmt: skip


async def test_a_snapshot_sees_one_moment_and_the_next_one_sees_another(sold: Database) -> None:
    units = text("SELECT available FROM stock WHERE product_id = 3")
    async with sold.snapshot() as connection:
        before = (await connection.execute(units)).scalar_one()
        await change(sold, "UPDATE stock SET available = available - 1 WHERE product_id = 3")
        after = (await connection.execute(units)).scalar_one()
    async with sold.snapshot() as connection:
        later = (await connection.execute(units)).scalar_one()

    assert (after, later) == (before, before - 1)


async def test_a_snapshot_cannot_write_and_leaves_nothing_behind_after_an_error(sold: Database) -> None:
    with pytest.raises(PrimaryUnavailable):
        async with sold.snapshot() as connection:
            await connection.execute(text("UPDATE stock SET available = 0"))

    await change(sold, "UPDATE stock SET available = available - 1 WHERE product_id = 3")
    assert found(await Auditor(sold, SETTINGS).scan()) == {Invariant.STOCK: {"3"}}


async def test_the_command_ends_with_0_or_with_1_and_the_id(sold: Database, settings: Settings) -> None:
    assert (await audit_once(settings)).clean
    healthy = command(settings, "--json")
    table = command(settings)
    await change(sold, "UPDATE stock SET available = available - 1 WHERE product_id = 3")
    broken = command(settings, "--json")

    assert (healthy.returncode, json.loads(healthy.stdout)["verdict"]) == (0, "no breach")
    assert (table.returncode, table.stdout.splitlines()[-1].split(" at ")[0]) == (0, "no breach")
    assert (broken.returncode, json.loads(broken.stdout)["verdict"]) == (1, "breach")
    assert json.loads(broken.stdout)["invariants"]["stock_adds_up"]["shown"][0]["id"] == "3"


def command(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **environment_of(settings), "PYTHONPATH": str(SOURCES)}
    argv = [sys.executable, "-m", "doorbuster.jobs.audit", *words]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=JOB_SECONDS, check=False)


@pytest.fixture
async def serving(sold: Database, settings: Settings) -> AsyncIterator[Application]:
    environment = environment_of(settings) | {"DOORBUSTER_AUDIT__LOOK_SECONDS": "0.2"}
    auditor = Application(words=("doorbuster.jobs.audit", "--serve"), environment=environment)
    with running(auditor):
        yield auditor


async def test_a_serving_auditor_shows_a_breach_soon_and_ends_cleanly_on_sigterm(
    serving: Application, sold: Database
) -> None:
    until_shown(serving, "stock_adds_up", 0)
    assert all(f'audit_breaches{{invariant="{each}"}} 0.0' in serving.metrics() for each in Invariant)
    await change(sold, "UPDATE stock SET available = available - 1 WHERE product_id = 1")
    until_shown(serving, "stock_adds_up", 1)

    assert "audit_last_success_timestamp 1." in serving.metrics()
    assert serving.stop() == 0
    assert "invariant_broken" in serving.logs()


def until_shown(auditor: Application, invariant: str, breaches: float) -> None:
    line = f'audit_breaches{{invariant="{invariant}"}} {float(breaches)}'
    seconds_until(lambda: line in auditor.metrics(), within_seconds=WAIT_SECONDS, what=line)
