"""Runs the watch over the open sagas every second, and exports what it sees (R15)."""

import asyncio
from typing import Protocol

import structlog

from doorbuster.infra.mysql.database_lock import HeldLock
from doorbuster.infra.telemetry import (
    NOT_KNOWN,
    SAGA_CANCELS,
    SAGA_OLDEST_AGE_SECONDS,
    SAGA_REDRIVES,
    SAGAS_OPEN,
    SAGAS_QUEUED,
    SAGAS_UNCOMPENSATED,
)
from doorbuster.kernel.pausing import pause_until
from doorbuster.orders.watch_service import WatchReport

PAUSE_SECONDS = 1.0

log = structlog.get_logger()


class Watch(Protocol):
    """Looks at the open sagas once, and does what is to be done."""

    async def look(self) -> WatchReport:
        """Return what was seen and done; raises NotAccepted and OutcomeUnknown."""
        ...


class SagaWatch:
    """One look after the other, by whoever holds the watch's lock."""

    def __init__(self, watch: Watch, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        """Take what looks, and the pause between two looks."""
        self._watch = watch
        self._pause_seconds = pause_seconds

    async def run(self, lock: HeldLock, *, stop: asyncio.Event) -> None:
        """Look again and again until told to stop.

        Raises:
            LockLost: another watch may have begun.
            NotAccepted: the database went away.
            OutcomeUnknown: the same, and whether the last acts were committed isn't known; the next look sees.
        """
        try:
            while not stop.is_set():
                await lock.confirm()
                show(await self._watch.look())
                await pause_until(stop, at_most_seconds=self._pause_seconds)
        finally:
            # Another watch knows better from now on.
            for gauge in (SAGAS_OPEN, SAGA_OLDEST_AGE_SECONDS, SAGAS_QUEUED, SAGAS_UNCOMPENSATED):
                gauge.set(NOT_KNOWN)


def show(report: WatchReport) -> None:
    """Set the metrics to what a look saw, and count and log what it did."""
    SAGAS_OPEN.set(report.open_sagas.count)
    SAGAS_UNCOMPENSATED.set(report.open_sagas.uncompensated)
    SAGA_OLDEST_AGE_SECONDS.set(report.oldest_seconds or 0.0)
    SAGAS_QUEUED.set(report.queued)
    for step, redriven in report.redriven.items():
        SAGA_REDRIVES.labels(step.value).inc(redriven)
    for reason, cancelled in report.cancelled.items():
        SAGA_CANCELS.labels(reason.value).inc(cancelled)
    if report.redriven or report.cancelled:
        log.warning(
            "sagas_driven_on",
            redriven=sum(report.redriven.values()),
            cancelled=sum(report.cancelled.values()),
            queued=report.queued,
        )
