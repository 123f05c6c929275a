import asyncio
from collections import Counter

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from doorbuster.bootstrap.coupon_gates import GateWatch
from doorbuster.coupons.gate_upkeep import GateEvent, GateReport
from doorbuster.coupons.issue_ports import GateUnavailable
from doorbuster.kernel.errors import NotAccepted


class Upkeep:
    """Ends each look as it is told."""

    def __init__(self, *looks: GateReport | Exception) -> None:
        self._looks = list(looks)
        self.done = asyncio.Event()

    async def look(self) -> GateReport:
        if not self._looks:
            self.done.set()
            # No look after the last one.
            await asyncio.Event().wait()
        outcome = self._looks.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def repairs(event: GateEvent) -> float:
    return REGISTRY.get_sample_value("coupon_gate_repairs_total", {"event": event.value}) or 0.0


async def looked(*looks: GateReport | Exception) -> list[str]:
    upkeep = Upkeep(*looks)
    with capture_logs() as logged:
        task = asyncio.create_task(GateWatch(upkeep, look_seconds=0).run())  # type: ignore[arg-type]  # its look
        await asyncio.wait_for(upkeep.done.wait(), 5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return [entry["event"] for entry in logged]


async def test_what_was_mended_is_counted_and_logged() -> None:
    before = repairs(GateEvent.RELEASED)
    done = GateReport(events=Counter({GateEvent.RELEASED: 3}))

    events = await looked(done, GateReport())

    assert repairs(GateEvent.RELEASED) == before + 3
    assert events == ["coupon_gates_mended"]


async def test_what_was_mended_counts_also_when_one_coupon_could_not_be() -> None:
    before = repairs(GateEvent.REBUILT)
    done = GateReport(events=Counter({GateEvent.REBUILT: 2}), failure=GateUnavailable("an answer that is none"))

    events = await looked(done, GateReport())

    assert repairs(GateEvent.REBUILT) == before + 2
    assert events == ["coupon_gates_mended", "coupon_gates_not_looked_after"]


async def test_claims_that_became_rows_are_no_news() -> None:
    assert await looked(GateReport(events=Counter({GateEvent.CONFIRMED: 3})), GateReport()) == []


@pytest.mark.parametrize("error", [GateUnavailable("gone"), NotAccepted("no primary"), RuntimeError("a bug")])
async def test_whatever_goes_wrong_the_next_look_comes(error: Exception) -> None:
    assert await looked(error, GateReport()) == ["coupon_gates_not_looked_after"]


def test_every_repair_is_there_at_0() -> None:
    assert all(
        REGISTRY.get_sample_value("coupon_gate_repairs_total", {"event": event.value}) is not None
        for event in GateEvent
    )
