import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from doorbuster.bootstrap.saga_watch import SagaWatch, show
from doorbuster.infra.mysql.database_lock import HeldLock, LockLost
from doorbuster.infra.telemetry import (
    SAGA_CANCELS,
    SAGA_OLDEST_AGE_SECONDS,
    SAGA_REDRIVES,
    SAGAS_OPEN,
    SAGAS_QUEUED,
    SAGAS_UNCOMPENSATED,
)
from doorbuster.orders.model import CancelReason, SagaStep
from doorbuster.orders.ports import OpenSagas
from doorbuster.orders.watch_service import WatchReport

REPORT = WatchReport(
    open_sagas=OpenSagas(count=7, oldest=datetime(2026, 1, 1, tzinfo=UTC), uncompensated=2),
    oldest_seconds=12.5,
    queued=3,
    complete=True,
    redriven={SagaStep.PAYING: 4},
    cancelled={CancelReason.LOST: 1},
)


class Lock:
    """A lock that is held for so many confirmations."""

    def __init__(self, *, times: int) -> None:
        self.times = times

    async def confirm(self) -> None:
        if self.times == 0:
            raise LockLost("another holds it")
        self.times -= 1


class Watch:
    """Counts looks, and stops after the given one."""

    def __init__(self, stop: asyncio.Event, *, last: int = 1000) -> None:
        self.looks = 0
        self._stop = stop
        self._last = last

    async def look(self) -> WatchReport:
        self.looks += 1
        if self.looks == self._last:
            self._stop.set()
        return REPORT


def held(*, times: int = 1000) -> HeldLock:
    return cast("HeldLock", Lock(times=times))


def test_what_was_seen_is_exported() -> None:
    show(REPORT)

    seen = [gauge._value.get() for gauge in (SAGAS_OPEN, SAGAS_UNCOMPENSATED, SAGA_OLDEST_AGE_SECONDS, SAGAS_QUEUED)]
    assert seen == [7, 2, 12.5, 3]


def test_what_was_done_is_counted() -> None:
    redriven = SAGA_REDRIVES.labels(SagaStep.PAYING.value)
    cancelled = SAGA_CANCELS.labels(CancelReason.LOST.value)
    before = redriven._value.get(), cancelled._value.get()
    show(REPORT)

    assert (redriven._value.get() - before[0], cancelled._value.get() - before[1]) == (4, 1)


def test_no_open_saga_has_the_age_zero() -> None:
    show(replace(REPORT, oldest_seconds=None))

    assert SAGA_OLDEST_AGE_SECONDS._value.get() == 0


async def test_it_looks_until_it_is_told_to_stop() -> None:
    stop = asyncio.Event()
    watch = Watch(stop, last=3)
    async with asyncio.timeout(10):
        await SagaWatch(watch, pause_seconds=0.001).run(held(), stop=stop)

    assert watch.looks == 3


async def test_it_does_nothing_without_its_lock() -> None:
    watch = Watch(asyncio.Event())
    with pytest.raises(LockLost):
        await SagaWatch(watch, pause_seconds=0.001).run(held(times=2), stop=asyncio.Event())

    assert watch.looks == 2


async def test_who_does_not_watch_any_more_knows_nothing() -> None:
    with pytest.raises(LockLost):
        await SagaWatch(Watch(asyncio.Event())).run(held(times=0), stop=asyncio.Event())

    assert math.isnan(SAGAS_OPEN._value.get())
