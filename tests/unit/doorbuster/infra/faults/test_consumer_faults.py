"""Faults around a consumer's parts: none of them loses, skips or gives up a record."""

from collections.abc import Iterator
from itertools import count
from random import Random

import pytest
from prometheus_client import REGISTRY

from doorbuster.infra.faults.consumer_faults import FailingBatches, MadeToFail, StuckPartition
from doorbuster.infra.kafka.record_source import RecordSource
from tests.unit.doorbuster.consumers.fake_source import FakeKafka, FakeSource
from tests.unit.doorbuster.consumers.running import FIRST, SECOND, TOPIC, Handler, consumer, running, until
from tests.unit.doorbuster.consumers.source_contract import RecordSourceContract

ELSEWHERE = FIRST._replace(topic="elsewhere")
GROUP_NUMBERS = count()


class OrdinaryWorld:
    """A topic of which no partition is stuck, read through the fault."""

    patience_seconds = 1.0
    quiet_seconds = 0.02

    def __init__(self) -> None:
        self.topic = TOPIC
        self._kafka = FakeKafka.with_partitions(TOPIC, 2)
        self._sources: list[StuckPartition] = []

    def produce(self, number: int, *values: bytes) -> None:
        self._kafka.produce(FIRST._replace(number=number), *values)

    def source(self) -> RecordSource:
        self._sources.append(StuckPartition(FakeSource(self._kafka), ELSEWHERE))
        return self._sources[-1]

    def close(self) -> None:
        for source in self._sources:
            source.close()


@pytest.fixture
def world() -> Iterator[OrdinaryWorld]:
    world = OrdinaryWorld()
    yield world
    world.close()


class TestOtherPartitionsAreReadAsEver(RecordSourceContract):
    """The contract of every record source, through the fault."""


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka.with_partitions(TOPIC, 2)


async def test_nothing_of_a_stuck_partition_is_worked_on_or_committed(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a", b"b")
    kafka.produce(SECOND, b"c", b"d")
    handler = Handler()

    async with running(consumer(StuckPartition(FakeSource(kafka), FIRST), handler)):
        await until(lambda: kafka.committed == {SECOND: 2}, "the other partition's commit")
        assert set(kafka.owners) == {FIRST, SECOND}

    assert sorted(value for batch in handler.batches for value in batch) == [b"c", b"d"]
    assert FIRST not in kafka.committed


async def test_a_stuck_partition_goes_on_where_it_stood_when_the_fault_is_off(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, b"a", b"b")
    kafka.produce(SECOND, b"c")
    async with running(consumer(StuckPartition(FakeSource(kafka), FIRST), Handler())):
        await until(lambda: kafka.committed == {SECOND: 1}, "the other partition's commit")
    handler = Handler()

    async with running(consumer(FakeSource(kafka), handler)):
        await until(lambda: kafka.committed == {FIRST: 2, SECOND: 1}, "all commits")

    assert sorted(value for batch in handler.batches for value in batch) == [b"a", b"b"]


async def test_batches_that_fail_on_purpose_are_tried_again_until_they_are_done(kafka: FakeKafka) -> None:
    kafka.produce(FIRST, *(b"%d" % number for number in range(20)))
    group = f"failing-{next(GROUP_NUMBERS)}"
    handler = Handler()
    chances = iter([0.0, 0.0, 0.9])
    failing = FailingBatches(handler, rate=0.5, chance=lambda: next(chances, 0.9))

    async with running(consumer(FakeSource(kafka), failing, group=group)):
        await until(lambda: kafka.committed == {FIRST: 20}, "the commit")

    assert sum(len(batch) for batch in handler.batches) == 20
    assert REGISTRY.get_sample_value("consumer_retries_total", {"group": group, "cause": "MadeToFail"}) == 2


@pytest.mark.parametrize(("rate", "least", "most"), [(0.0, 0, 0), (0.25, 200, 300), (1.0, 1_000, 1_000)])
async def test_the_rate_is_a_share_and_a_seed_repeats_it(rate: float, least: int, most: int) -> None:
    async def failures() -> list[int]:
        failing = FailingBatches(Handler(), rate=rate, chance=Random(7).random)
        found = []
        for number in range(1_000):
            try:
                await failing.handle([])
            except MadeToFail:
                found.append(number)
        return found

    first = await failures()

    assert least <= len(first) <= most
    assert await failures() == first
