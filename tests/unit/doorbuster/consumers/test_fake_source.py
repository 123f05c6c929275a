import pytest

from doorbuster.infra.kafka.record_source import Partition
from tests.unit.doorbuster.consumers.fake_source import FakeKafka, FakeSource
from tests.unit.doorbuster.consumers.source_contract import PARTITIONS, RecordSourceContract


class FakeWorld:
    topic = "order-created"
    patience_seconds = 2.0
    quiet_seconds = 0.01

    def __init__(self) -> None:
        self.kafka = FakeKafka.with_partitions(self.topic, PARTITIONS)

    def produce(self, number: int, *values: bytes) -> None:
        self.kafka.produce(Partition(self.topic, number), *values)

    def source(self) -> FakeSource:
        return FakeSource(self.kafka)


class TestFakeSource(RecordSourceContract):
    @pytest.fixture
    def world(self) -> FakeWorld:
        return FakeWorld()
