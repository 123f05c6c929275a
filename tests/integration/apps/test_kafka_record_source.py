from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Self
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from doorbuster.infra.kafka.kafka_record_source import KafkaRecordSource, consumer_configuration
from doorbuster.infra.kafka.record_source import Partition
from doorbuster.settings import KafkaSettings, Settings
from tests.integration.apps.kafka_topics import delete_topic, make_topic, produce
from tests.unit.doorbuster.consumers.source_contract import (
    PARTITIONS,
    Listener,
    RecordSourceContract,
    joined,
    polled_until,
    read,
)

pytestmark = pytest.mark.integration

# Of each of two topics; whoever is asked to share them two ways or three has whole numbers.
SHARED = 6


class KafkaWorld:
    patience_seconds = 40.0
    quiet_seconds = 1.5

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka
        self.topic = f"record-source-{uuid4().hex[:8]}"
        self.sources: list[KafkaRecordSource] = []

    def produce(self, number: int, *values: bytes) -> None:
        produce(self.kafka, self.topic, [(number, value) for value in values])

    def source(self) -> KafkaRecordSource:
        source = KafkaRecordSource(consumer_configuration(self.kafka, f"{self.topic}-group"))
        self.sources.append(source)
        return source

    def standing(self) -> Iterator[Self]:
        """Make the topic, give the world away, and remove what belongs to it: the body of a fixture."""
        make_topic(self.kafka, self.topic, partitions=PARTITIONS)
        yield self
        for source in self.sources:
            source.close()
        delete_topic(self.kafka, self.topic)


@pytest.fixture
def world(settings: Settings) -> Iterator[KafkaWorld]:
    yield from KafkaWorld(settings.kafka).standing()


class TestKafkaRecordSource(RecordSourceContract):
    """Kafka's source keeps the promises of all; its world is the fixture above."""


class Refused(Consumer):
    """A member whose coordinator refuses twice to say what is committed, as one does that has just moved."""

    refusals = 2

    def committed(self, partitions: list[TopicPartition], timeout: float = -1) -> list[TopicPartition]:
        if self.refusals:
            self.refusals -= 1
            raise KafkaException(KafkaError(KafkaError.NOT_COORDINATOR))
        return super().committed(partitions, timeout)


def test_a_member_that_was_refused_at_first_begins_at_what_is_committed(
    world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.produce(0, b"a", b"b", b"c")
    before, _ = joined(world)
    read(world, before, 3)
    before.commit_and_wait({Partition(world.topic, 0): 2})
    before.close()
    monkeypatch.setattr("doorbuster.infra.kafka.kafka_record_source.Consumer", Refused)

    after, listener = joined(world)

    assert read(world, after, 1) == [(0, 2, b"c")]
    assert listener.ours == {Partition(world.topic, number) for number in range(PARTITIONS)}


@pytest.fixture
def topics(settings: Settings) -> Iterator[list[str]]:
    name = f"shared-{uuid4().hex[:8]}"
    made = [f"{name}-busy", f"{name}-idle"]
    for topic in made:
        make_topic(settings.kafka, topic, partitions=SHARED)
    yield made
    for topic in made:
        delete_topic(settings.kafka, topic)


def test_members_that_join_one_after_the_other_share_every_topic_evenly(settings: Settings, topics: list[str]) -> None:
    # An assignor that counts the partitions of both topics alike gave a new member all of the idle one.
    world = KafkaWorld(settings.kafka)
    listeners: list[Listener] = []
    try:
        for members in (1, 2, 3):
            source = world.source()
            listeners.append(Listener(source))
            source.subscribe(topics, listeners[-1])
            even = [dict.fromkeys(topics, SHARED // members)] * members
            polled_until(world, partial(shared_as, even, listeners), *world.sources)
    finally:
        for source in world.sources:
            source.close()


def shared_as(wanted: list[dict[str, int]], listeners: list[Listener]) -> bool:
    return wanted == [dict(Counter(partition.topic for partition in listener.ours)) for listener in listeners]
