"""What is put around a consumer's parts, and what is not."""

from contextlib import AbstractAsyncContextManager
from typing import cast

from prometheus_client import REGISTRY
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.bootstrap.process_faults import failing, fault_notices, slowed, stuck
from doorbuster.infra.faults.consumer_faults import FailingBatches, SlowTransactions, StuckPartition
from doorbuster.settings import FaultSettings
from tests.unit.doorbuster.consumers.fake_source import FakeKafka, FakeSource
from tests.unit.doorbuster.consumers.running import FIRST, TOPIC, Handler

NONE = FaultSettings()
# Nobody speaks to it here.
CLIENT = cast("Redis", None)


class Database:
    """A database that nobody asks."""

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        raise AssertionError


def test_without_faults_the_parts_are_left_as_they_are() -> None:
    database, handler, source = Database(), Handler(), FakeSource(FakeKafka.with_partitions(TOPIC, 1))

    assert slowed(database, NONE) is database
    assert failing(handler, NONE) is handler
    assert stuck(source, NONE) is source
    assert fault_notices("consumer-stock", NONE, CLIENT) == ()


def test_each_fault_stands_around_its_part() -> None:
    kafka = FakeKafka.with_partitions(TOPIC, 1)
    faults = FaultSettings.model_validate(
        {"slow_query": "300ms", "error_rate": 1, "stuck_partition": f"{TOPIC}/{FIRST.number}"}
    )

    assert isinstance(slowed(Database(), faults), SlowTransactions)
    assert isinstance(failing(Handler(), faults), FailingBatches)
    source = stuck(FakeSource(kafka), faults)
    assert isinstance(source, StuckPartition)
    assert source._stuck == FIRST


def test_a_process_with_a_fault_shows_it_and_has_something_to_tell() -> None:
    companions = fault_notices("relay", FaultSettings(poison=True), CLIENT)
    shown = REGISTRY.get_sample_value("fault_active", {"fault": "poison"})
    fault_notices("relay", NONE, CLIENT)

    assert (len(companions), shown) == (1, 1)
    assert REGISTRY.get_sample_value("fault_active", {"fault": "poison"}) == 0
