from itertools import count

import pytest
from prometheus_client import REGISTRY

from doorbuster.consumers.intake import Limits
from doorbuster.consumers.measures import Measures
from doorbuster.infra.kafka.record_source import Partition
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.kernel.errors import PrimaryUnavailable
from tests.unit.doorbuster.consumers.fake_source import FakeKafka, FakeSource
from tests.unit.doorbuster.consumers.running import FIRST, TOPIC, Handler, consumer, running, until

GROUP_NUMBERS = count()


@pytest.fixture
def group() -> str:
    # The registry is the process's; a group of its own keeps a test's numbers apart.
    return f"measured-{next(GROUP_NUMBERS)}"


def value(name: str, group: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"group": group, **labels})


def test_records_are_counted_by_result_and_busy_time_is_that_of_the_committed_attempt(group: str) -> None:
    measures = Measures(group, lambda: 0.0)
    result = BatchResult(processed=7, duplicates=2, dead_letters=1)

    measures.finished(result, busy_seconds=0.25, batch_seconds=4.0)
    measures.finished(BatchResult(processed=1), busy_seconds=0.25, batch_seconds=0.3)

    assert value("consumer_batches_total", group) == 2
    assert value("consumer_busy_seconds_total", group) == 0.5
    assert value("consumer_batch_seconds_sum", group) == 4.3
    assert value("consumer_records_total", group, result="processed") == 8
    assert value("consumer_records_total", group, result="duplicate") == 2
    assert value("consumer_records_total", group, result="dead-letter") == 1


def test_every_series_is_there_before_anything_is_counted(group: str) -> None:
    Measures(group, lambda: 0.0)

    names = ("consumer_batches_total", "consumer_busy_seconds_total", "consumer_batch_seconds_count")
    assert [value(name, group) for name in (*names, "fault_delay_seconds")] == [0, 0, 0, 0]
    assert [
        value("consumer_records_total", group, result=result) for result in ("processed", "duplicate", "dead-letter")
    ] == [0, 0, 0]
    assert [value("consumer_rebalances_total", group, kind=kind) for kind in ("assigned", "revoked", "lost")] == [
        0,
        0,
        0,
    ]


def test_a_partition_that_is_given_up_is_shown_no_longer(group: str) -> None:
    measures = Measures(group, lambda: 0.0)
    measures.assigned([Partition("order-created", 0), Partition("order-created", 1)])
    measures.given_up([Partition("order-created", 1)], "revoked")
    measures.given_up([], "lost")

    assert value("consumer_assigned", group, topic="order-created", partition="0") == 1
    assert value("consumer_assigned", group, topic="order-created", partition="1") is None
    assert [value("consumer_rebalances_total", group, kind=kind) for kind in ("assigned", "revoked", "lost")] == [
        1,
        1,
        1,
    ]


def test_the_age_is_that_of_the_oldest_record_in_hand_and_0_without_one(group: str) -> None:
    measures = Measures(group, lambda: 1000.0)
    record = Record(topic="t", partition=0, offset=0, key=None, value=None, timestamp_ms=990_000)

    measures.in_hand([record])
    assert value("consumer_oldest_record_age_seconds", group) == 10
    measures.nothing_in_hand()
    assert value("consumer_oldest_record_age_seconds", group) == 0


async def test_a_running_consumer_exports_what_a_scaler_needs(group: str) -> None:
    kafka = FakeKafka.with_partitions(TOPIC, 1)
    kafka.produce(FIRST, b"a", b"b", b"c")
    handler = Handler(errors=[PrimaryUnavailable("failover")])
    limits = Limits(records=2, idle_seconds=0.005, linger_seconds=0.002, rest=0)

    async with running(consumer(FakeSource(kafka), handler, group=group, limits=limits)):
        await until(lambda: kafka.committed == {FIRST: 3}, "the commit")
        shown = value("consumer_assigned", group, topic=TOPIC, partition="0")

    assert shown == 1
    assert value("consumer_assigned", group, topic=TOPIC, partition="0") is None
    assert value("consumer_batch_limit", group) == 2
    assert value("consumer_batches_total", group) == 2
    assert value("consumer_records_total", group, result="processed") == 3
    assert value("consumer_retries_total", group, cause="PrimaryUnavailable") == 1
