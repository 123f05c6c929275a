from collections.abc import Iterator
from uuid import uuid4

import pytest

from doorbuster.infra.kafka.kafka_record_source import KafkaRecordSource, consumer_configuration
from doorbuster.settings import KafkaSettings, Settings
from tests.integration.apps.kafka_topics import delete_topic, make_topic, produce
from tests.unit.doorbuster.consumers.source_contract import PARTITIONS, RecordSourceContract

pytestmark = pytest.mark.integration


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
