from collections import Counter
from collections.abc import Iterator
from functools import partial
from uuid import uuid4

import pytest

from doorbuster.infra.kafka.kafka_record_source import KafkaRecordSource, consumer_configuration
from doorbuster.settings import KafkaSettings, Settings
from tests.integration.apps.kafka_topics import delete_topic, make_topic, produce
from tests.unit.doorbuster.consumers.source_contract import PARTITIONS, Listener, RecordSourceContract, polled_until

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


class TestKafkaRecordSource(RecordSourceContract):
    @pytest.fixture
    def world(self, settings: Settings) -> Iterator[KafkaWorld]:
        world = KafkaWorld(settings.kafka)
        make_topic(world.kafka, world.topic, partitions=PARTITIONS)
        yield world
        for source in world.sources:
            source.close()
        delete_topic(world.kafka, world.topic)


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
