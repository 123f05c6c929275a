import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count

import pytest
from confluent_kafka import KafkaError, TopicPartition
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from doorbuster.infra.kafka import kafka_record_source
from doorbuster.infra.kafka.kafka_record_source import KafkaRecordSource, consumer_configuration
from doorbuster.infra.kafka.record_source import CommitFailed, Partition, SourceFailed
from doorbuster.settings import KafkaSettings

GROUP_NUMBERS = count()


class Nobody:
    def assigned(self, partitions: Sequence[Partition]) -> None:
        raise AssertionError(partitions)

    def revoked(self, partitions: Sequence[Partition]) -> None:
        raise AssertionError(partitions)

    def lost(self, partitions: Sequence[Partition]) -> None:
        raise AssertionError(partitions)

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        raise AssertionError(offsets)

    def commit_failed(self, offsets: Mapping[Partition, int], error: str) -> None:
        raise AssertionError((offsets, error))


@pytest.fixture
def group() -> str:
    return f"source-{next(GROUP_NUMBERS)}"


def without_kafka(group: str) -> KafkaRecordSource:
    # Nothing listens on port 1.
    return KafkaRecordSource(consumer_configuration(KafkaSettings(servers="127.0.0.1:1"), group))


def errors(group: str, name: str) -> float:
    return REGISTRY.get_sample_value("consumer_errors_total", {"group": group, "error": name}) or 0


def test_a_member_commits_by_itself_only_and_shares_each_topic(group: str) -> None:
    configuration = consumer_configuration(KafkaSettings(servers="kafka-0:9092,kafka-1:9092"), group)

    assert configuration["bootstrap.servers"] == "kafka-0:9092,kafka-1:9092"
    assert configuration["group.id"] == group
    assert configuration["partition.assignment.strategy"] == "range"
    assert "group.instance.id" not in configuration
    assert configuration["auto.offset.reset"] == "earliest"
    assert configuration["enable.auto.commit"] is False
    assert configuration["enable.auto.offset.store"] is False


def test_without_kafka_polling_waits_counts_the_error_and_closing_is_quick(group: str) -> None:
    source = without_kafka(group)
    source.subscribe(["order-created"], Nobody())
    deadline = time.monotonic() + 10
    while not errors(group, "_ALL_BROKERS_DOWN"):
        assert time.monotonic() < deadline
        assert source.poll(0.1) is None
    source.pause()
    source.resume()

    before = time.monotonic()
    source.close()
    assert time.monotonic() - before < 5


def test_a_fatal_error_ends_the_source(group: str) -> None:
    source = without_kafka(group)
    source._note(KafkaError(KafkaError.FENCED_INSTANCE_ID, "fenced", fatal=True))

    with pytest.raises(SourceFailed, match="fenced"):
        source.poll(0)
    assert errors(group, "FENCED_INSTANCE_ID") == 1
    source.close()


def test_who_cant_learn_where_to_begin_ends_instead_of_holding_partitions(
    group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_record_source, "committed_positions", lambda *_, **__: None)
    source = without_kafka(group)
    source._on_assign(source._consumer, [TopicPartition("order-created", 0)])

    with pytest.raises(SourceFailed, match="where to begin"):
        source.poll(0)
    source.close()


def test_who_leaves_anyway_doesnt_fail_for_want_of_positions(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, give_up: Callable[[], bool]) -> None:
        assert give_up()

    monkeypatch.setattr(kafka_record_source, "committed_positions", never)
    configuration = consumer_configuration(KafkaSettings(servers="127.0.0.1:1"), group)
    source = KafkaRecordSource(configuration, leaving=lambda: True)
    source._on_assign(source._consumer, [TopicPartition("order-created", 0)])

    assert source.poll(0) is None
    source.close()


def test_an_error_that_may_pass_is_counted_and_polling_goes_on(group: str) -> None:
    source = without_kafka(group)
    source._note(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "not yours"))

    assert source.poll(0) is None
    assert errors(group, "TOPIC_AUTHORIZATION_FAILED") == 1
    source.close()


def test_the_end_of_a_partition_is_no_error(group: str) -> None:
    source = without_kafka(group)
    source._note(KafkaError(KafkaError._PARTITION_EOF, "nothing more yet"))

    assert errors(group, "_PARTITION_EOF") == 0
    source.close()


def test_with_all_brokers_gone_nothing_waits_for_a_commit(group: str) -> None:
    source = without_kafka(group)
    source._note(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))

    before = time.monotonic()
    with pytest.raises(CommitFailed, match="no broker"):
        source.commit_and_wait({Partition("order-created", 0): 1})
    assert time.monotonic() - before < 1
    source.close()


def test_an_error_that_repeats_is_counted_each_time_and_logged_now_and_then(group: str) -> None:
    source = without_kafka(group)
    with capture_logs() as logs:
        for _ in range(20):
            source._note(KafkaError(KafkaError._TRANSPORT, "connection refused"))

    assert [entry["error"] for entry in logs] == ["_TRANSPORT"]
    assert errors(group, "_TRANSPORT") == 20
    source.close()
