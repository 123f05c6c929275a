"""Has the gates of coupons looked after every ten seconds, by whoever holds the watch's lock (R16)."""

import asyncio

import structlog

from doorbuster.coupons.gate_upkeep import GateEvent, GateReport, GateUpkeep
from doorbuster.coupons.issue_ports import GateUnavailable
from doorbuster.infra.telemetry import COUPON_GATE_REPAIRS
from doorbuster.kernel.errors import DoorbusterError

LOOK_SECONDS = 10.0

log = structlog.get_logger()

# So that the metric is there at 0, and not missing, while all is well.
for _event in GateEvent:
    COUPON_GATE_REPAIRS.labels(_event.value)


class GateWatch:
    """One look after the other; what goes wrong in one is left to the next."""

    def __init__(self, upkeep: GateUpkeep, *, look_seconds: float = LOOK_SECONDS) -> None:
        """Take what looks, and the pause between two looks."""
        self._upkeep = upkeep
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._look()
            await asyncio.sleep(self._look_seconds)

    async def _look(self) -> None:
        try:
            report = await self._upkeep.look()
            show(report)
            if report.failure is not None:
                _say_why_not(report.failure)
        except DoorbusterError as exc:
            _say_why_not(exc)
        except Exception:  # whatever it is, the sagas are looked after beside it, and that must go on
            log.exception("coupon_gates_not_looked_after")


def show(report: GateReport) -> None:
    """Count and log what a look did."""
    for event, times in report.events.items():
        COUPON_GATE_REPAIRS.labels(event.value).inc(times)
    if any(report.events[event] for event in (GateEvent.RELEASED, GateEvent.COUNTED, GateEvent.REBUILT)):
        log.warning("coupon_gates_mended", **{event.value: times for event, times in report.events.items()})


def _say_why_not(failure: DoorbusterError) -> None:
    level = log.info if isinstance(failure, GateUnavailable) else log.warning
    level("coupon_gates_not_looked_after", cause=str(failure))
