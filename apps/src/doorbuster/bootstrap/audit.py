"""Runs the auditor: once by command, or again and again with its findings as metrics (R21)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from time import monotonic
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.audit.changes import Memory, look_at_changes, remembered
from doorbuster.audit.full_scan import oldest_uncounted, scan_everything
from doorbuster.audit.model import MOST_SHOWN, Findings, Invariant, Limits, Report, Waiting
from doorbuster.audit.snapshot import Snapshot, TooManyChanges, open_snapshot
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.telemetry import AUDIT_BREACHES, AUDIT_IN_FLIGHT, AUDIT_LAST_SUCCESS, AUDIT_SECONDS
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.pausing import pause_until
from doorbuster.settings import AuditSettings, Settings

# A page takes tenths of a second; a busy machine is waited for. R2's two seconds are for writes.
STATEMENT_SECONDS = 10.0
# Then looking is given up, so that a server that hangs holds no look up for ever.
LONGEST_LOOK_SECONDS = 600.0
# A full scan that failed comes again after so long; in between, what has changed is looked at.
SCAN_AGAIN_SECONDS = 300.0

log = structlog.get_logger()


class Snapshots(Protocol):
    """Opens connections on which all statements see one moment."""

    def snapshot(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Return a connection of the caller's own; raises PrimaryUnavailable and Overloaded."""
        ...


def audit_database(settings: Settings) -> Database:
    """Return the database as the auditor reads it; the caller closes it."""
    patient = settings.mysql.model_copy(update={"pool_size": 1, "transaction_seconds": STATEMENT_SECONDS})
    return Database(patient, reader_pool_size=1)


def limits_of(settings: AuditSettings) -> Limits:
    """Return how long something may be under way."""
    return Limits(final=timedelta(seconds=settings.final_within_seconds))


async def audit_once(settings: Settings) -> Report:
    """Return what a look at everything found.

    Raises:
        DoorbusterError: it could not look.
        TimeoutError: the same.
    """
    database = audit_database(settings)
    try:
        return await Auditor(database, settings.audit).scan()
    finally:
        await database.close()


class Auditor:
    """Looks at everything at first and now and then, in between at what has changed."""

    def __init__(
        self, database: Snapshots, settings: AuditSettings, *, monotonic_seconds: Callable[[], float] = monotonic
    ) -> None:
        """Take where to look, how often, and a clock that only goes on."""
        self._database = database
        self._settings = settings
        self._monotonic = monotonic_seconds
        self._memory: Memory | None = None
        self._full_scan_due = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until told to stop, and show what was seen; what can't be read is read later."""
        while not stop.is_set():
            try:
                show(await self.look())
            except (DoorbusterError, TimeoutError) as exc:
                log.warning("audit_failed", cause=str(exc) or type(exc).__name__)
            await pause_until(stop, at_most_seconds=self._settings.look_seconds)

    async def look(self) -> Report:
        """Return what is broken: what has changed is looked at, or everything when that is due.

        Raises:
            DoorbusterError: it could not look; the next look begins where the last one ended.
            TimeoutError: the same.
        """
        memory = self._memory
        if memory is None or memory.broken.forgotten:
            # From a part of the breaches nobody can tell how many are left.
            return await self.scan()
        if self._monotonic() >= self._full_scan_due:
            return await self._scan_or_look_at_changes(memory)
        try:
            return await self._look_at_changes(memory)
        except TooManyChanges as exc:
            log.info("audit_looks_at_everything", cause=str(exc))
            return await self.scan()

    async def scan(self) -> Report:
        """Return what is broken, after a look at everything; raises as `look` does."""
        began = self._monotonic()
        async with asyncio.timeout(LONGEST_LOOK_SECONDS), self._database.snapshot() as connection:
            snapshot = await open_snapshot(connection, limits_of(self._settings))
            findings = await scan_everything(snapshot)
            uncounted_since = await oldest_uncounted(snapshot)
        self._memory = remembered(snapshot, findings, uncounted_since=uncounted_since)
        self._full_scan_due = self._monotonic() + self._settings.full_scan_seconds
        return _report(snapshot, findings, seconds=self._monotonic() - began, full=True)

    async def _scan_or_look_at_changes(self, memory: Memory) -> Report:
        """Return what a due scan sees; if it fails, what a look at changes sees, and the scan is due again later."""
        try:
            return await self.scan()
        except (DoorbusterError, TimeoutError) as exc:
            log.warning("audit_scan_failed", cause=str(exc) or type(exc).__name__)
        self._full_scan_due = self._monotonic() + min(self._settings.full_scan_seconds, SCAN_AGAIN_SECONDS)
        return await self._look_at_changes(memory)

    async def _look_at_changes(self, memory: Memory) -> Report:
        began = self._monotonic()
        async with asyncio.timeout(LONGEST_LOOK_SECONDS), self._database.snapshot() as connection:
            snapshot = await open_snapshot(connection, limits_of(self._settings))
            findings, self._memory = await look_at_changes(snapshot, memory)
        return _report(snapshot, findings, seconds=self._monotonic() - began, full=False)


def show(report: Report) -> None:
    """Set the metrics to what a look saw, and log each breach that is named."""
    for invariant in Invariant:
        AUDIT_BREACHES.labels(invariant.value).set(report.counts.get(invariant, 0))
        for breach in report.shown(invariant):
            log.error(
                "invariant_broken",
                invariant=invariant.value,
                subject=breach.subject.value,
                id=breach.shown_id,
                detail=breach.detail,
                shown_at_most=MOST_SHOWN,
            )
    for waiting in Waiting:
        AUDIT_IN_FLIGHT.labels(waiting.value).set(report.waiting.get(waiting, 0))
    AUDIT_SECONDS.labels("full" if report.full else "changes").set(report.seconds)
    AUDIT_LAST_SUCCESS.set(report.at.timestamp())


def _report(snapshot: Snapshot, findings: Findings, *, seconds: float, full: bool) -> Report:
    return Report(
        at=snapshot.moment.now,
        seconds=seconds,
        full=full,
        counts=findings.counts,
        breaches=findings.breaches,
        waiting=findings.waiting,
        looked_at=findings.looked_at,
    )
