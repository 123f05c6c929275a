import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Select

from doorbuster.audit.checks import BELOW_EVERY_ID
from doorbuster.audit.model import MOST_KEPT, Breach, Invariant, Report, Subject, Waiting
from doorbuster.audit.snapshot import MOST_CHANGED
from doorbuster.bootstrap.audit import SCAN_AGAIN_SECONDS, Auditor, limits_of, show
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.settings import AuditSettings

AT = datetime(2026, 5, 1, tzinfo=UTC)
SETTINGS = AuditSettings(look_seconds=0.001, full_scan_seconds=3600)


@dataclass
class Rows:
    """A statement's answer."""

    rows: list[tuple[object, ...]]

    def all(self) -> list[tuple[object, ...]]:
        return self.rows

    def scalar_one(self) -> object:
        return self.rows[0][0]


@dataclass
class EmptyShop:
    """A database without rows, but for `open_orders` keys that it calls open and `strangers`, deliveries of no order.

    Looks fail while it is `gone`, full scans also while it is `slow`.
    """

    open_orders: int = 0
    gone: bool = False
    slow: bool = False
    strangers: int = 0
    snapshots: int = 0
    statements: list[str] = field(default_factory=list)
    fifth: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        self.snapshots += 1
        if self.snapshots == 5:
            self.fifth.set()
        if self.gone:
            raise PrimaryUnavailable("nobody answers")
        yield cast("AsyncConnection", self)

    async def execute(
        self, statement: TextClause | Select[tuple[object]], values: Mapping[str, object] | None = None
    ) -> Rows:
        if isinstance(statement, Select):
            return Rows(rows=[(AT,)])
        asked = str(statement)
        self.statements.append(asked)
        # A look at changes walks over nothing but coupons.
        if self.slow and asked.startswith("SELECT MAX(walked)") and "coupons" not in asked:
            raise PrimaryUnavailable("a statement took too long")
        if "AS walked FROM deliveries" in asked and self.strangers and (values or {})["after"] == BELOW_EVERY_ID:
            return Rows(rows=[(self.strangers.to_bytes(16), self.strangers)])
        if asked.startswith("SELECT MAX(walked)"):
            return Rows(rows=[(None, 0)])
        for part, count in (("FROM order_sagas WHERE open", self.open_orders), ("deliveries AS part", self.strangers)):
            if part in asked:
                return Rows(rows=[(number.to_bytes(16),) for number in range(count)])
        if asked.strip().startswith("SELECT COUNT(*)"):
            return Rows(rows=[(0,)])
        return Rows(rows=[(None,)] if asked.strip().startswith("SELECT MIN(") else [])


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def test_it_looks_at_everything_first_then_at_changes_and_at_everything_again_when_that_is_due() -> None:
    clock = Clock()
    auditor = Auditor(EmptyShop(), SETTINGS, monotonic_seconds=clock)

    looks = [(await auditor.look()).full, (await auditor.look()).full, (await auditor.look()).full]
    clock.now = 3600.0
    looks += [(await auditor.look()).full, (await auditor.look()).full]

    assert looks == [True, False, False, True, False]


async def test_a_scan_that_fails_is_due_again_after_five_minutes_and_what_has_changed_is_looked_at_meanwhile() -> None:
    clock, shop = Clock(), EmptyShop()
    auditor = Auditor(shop, SETTINGS, monotonic_seconds=clock)
    await auditor.look()
    shop.slow = True
    clock.now = 3600.0

    looks = [(await auditor.look()).full, shop.snapshots]
    looks += [(await auditor.look()).full, shop.snapshots]
    clock.now += SCAN_AGAIN_SECONDS
    looks += [(await auditor.look()).full, shop.snapshots]
    clock.now += SCAN_AGAIN_SECONDS
    shop.slow = False
    looks += [(await auditor.look()).full, (await auditor.look()).full]

    assert looks == [False, 3, False, 4, False, 6, True, False]


async def test_scans_that_are_due_more_often_are_not_put_off_for_longer_than_that() -> None:
    clock, shop = Clock(), EmptyShop()
    auditor = Auditor(shop, SETTINGS.model_copy(update={"full_scan_seconds": 60}), monotonic_seconds=clock)
    await auditor.look()
    shop.slow = True
    clock.now = 60.0
    await auditor.look()
    shop.slow = False
    clock.now = 120.0

    assert (await auditor.look()).full


async def test_a_first_scan_that_fails_has_nothing_to_go_on_from() -> None:
    shop = EmptyShop(slow=True)

    with pytest.raises(PrimaryUnavailable):
        await Auditor(shop, SETTINGS).look()

    assert shop.snapshots == 1


async def test_more_breaches_than_are_kept_are_counted_anew_by_a_look_at_everything_until_they_are_fewer() -> None:
    shop = EmptyShop(strangers=MOST_KEPT + 1)
    auditor = Auditor(shop, SETTINGS)
    looks = [await auditor.look(), await auditor.look()]
    shop.slow = True
    with pytest.raises(PrimaryUnavailable):
        await auditor.look()
    shop.slow, shop.strangers = False, MOST_KEPT
    looks += [await auditor.look(), await auditor.look()]

    assert [look.full for look in looks] == [True, True, True, False]
    assert [look.counts[Invariant.ORDERS] for look in looks[:3]] == [MOST_KEPT + 1, MOST_KEPT + 1, MOST_KEPT]


async def test_more_changes_than_memory_holds_are_found_by_a_look_at_everything() -> None:
    shop = EmptyShop(open_orders=MOST_CHANGED + 1)
    auditor = Auditor(shop, SETTINGS)
    await auditor.look()

    assert (await auditor.look()).full
    assert any(f"LIMIT {MOST_CHANGED + 1}" in asked or "LIMIT :most" in asked for asked in shop.statements)


async def test_a_database_that_is_gone_is_looked_at_again_and_nothing_is_shown_meanwhile() -> None:
    show(report(at=AT - timedelta(days=1)))
    shop, stop = EmptyShop(gone=True), asyncio.Event()
    task = asyncio.create_task(Auditor(shop, SETTINGS).run(stop))
    async with asyncio.timeout(10):
        await shop.fifth.wait()
    stop.set()
    await task

    assert sample("audit_last_success_timestamp") == (AT - timedelta(days=1)).timestamp()


async def test_it_ends_when_it_is_told_to_and_has_shown_what_it_saw() -> None:
    shop, stop = EmptyShop(), asyncio.Event()
    task = asyncio.create_task(Auditor(shop, SETTINGS).run(stop))
    async with asyncio.timeout(10):
        await shop.fifth.wait()
    stop.set()
    await task

    assert sample("audit_last_success_timestamp") == AT.timestamp()
    assert {sample("audit_breaches", invariant=each.value) for each in Invariant} == {0}


def test_every_invariant_and_everything_under_way_is_shown_also_as_0() -> None:
    broken = Breach(invariant=Invariant.STOCK, subject=Subject.PRODUCT, id=7, detail="10 supplied")
    show(report(counts={Invariant.STOCK: 3}, breaches=[broken], waiting={Waiting.PENDING: 4}))

    assert {each: sample("audit_breaches", invariant=each.value) for each in Invariant} == {
        each: 3 if each is Invariant.STOCK else 0 for each in Invariant
    }
    assert {each: sample("audit_in_flight", kind=each.value) for each in Waiting} == {
        each: 4 if each is Waiting.PENDING else 0 for each in Waiting
    }


@pytest.mark.parametrize("seconds", [300.0, 20.0])
def test_how_long_an_order_may_wait_is_a_setting(seconds: float) -> None:
    assert limits_of(AuditSettings(final_within_seconds=seconds)).final == timedelta(seconds=seconds)


def report(
    *,
    at: datetime = AT,
    counts: Mapping[Invariant, int] | None = None,
    breaches: list[Breach] | None = None,
    waiting: Mapping[Waiting, int] | None = None,
) -> Report:
    return Report(
        at=at,
        seconds=0.5,
        full=False,
        counts=counts or {},
        breaches=breaches or [],
        waiting=waiting or {},
        looked_at={},
    )


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)
