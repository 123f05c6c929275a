import time

import httpx
import pytest
from prometheus_client import CollectorRegistry

from doorbuster.consumers.intake import Intake
from doorbuster.consumers.measures import Measures
from doorbuster.consumers.runtime import LONGEST_TURN_SECONDS, Clocks, ConsumerRuntime
from doorbuster.infra.process.admin import AdminServer
from tests.unit.doorbuster.consumers.fake_source import FakeKafka, FakeSource
from tests.unit.doorbuster.consumers.running import LIMITS, TOPIC, Handler


def test_a_consumer_whose_loop_has_not_turned_for_too_long_is_not_alive() -> None:
    now = [1000.0]
    measures = Measures("stock-service-group", time.time)
    source = FakeSource(FakeKafka.with_partitions(TOPIC, 1))
    runtime = ConsumerRuntime(
        "stock-service-group",
        Intake(source, "stock-service-group", limits=LIMITS, measures=measures, clock=time.monotonic),
        handler=Handler(),
        measures=measures,
        clocks=Clocks(monotonic=lambda: now[0], chance=lambda: 1.0),
    )

    assert runtime.alive()
    now[0] += LONGEST_TURN_SECONDS
    assert not runtime.alive()


@pytest.mark.parametrize(("alive", "status"), [(True, 200), (False, 503)])
async def test_livez_says_whether_the_process_still_works(alive: bool, status: int) -> None:  # noqa: FBT001
    server = AdminServer(CollectorRegistry(), host="127.0.0.1")
    await server.start(0, ready=lambda: True, alive=lambda: alive)
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{server.port}/livez")).status_code == status
    finally:
        await server.stop()
