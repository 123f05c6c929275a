import asyncio
import itertools
import multiprocessing
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from doorbuster.consumers.intake import Limits
from doorbuster.infra.kafka.kafka_record_source import KafkaRecordSource, consumer_configuration
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown
from doorbuster.settings import KafkaSettings, Settings
from tests.integration.apps import doomed_consumer
from tests.integration.apps.kafka_topics import delete_topic, make_topic, produce
from tests.unit.doorbuster.consumers.running import consumer, running, until

pytestmark = pytest.mark.integration

PARTITIONS = 6
LIMITS = Limits(records=100)
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    kafka: KafkaSettings
    topic: str
    group: str

    def produce(self, numbers: Sequence[int]) -> None:
        produce(self.kafka, self.topic, [(number % PARTITIONS, b"%d" % number) for number in numbers])


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    name = f"consumer-runtime-{uuid4().hex[:8]}"
    yield Place(kafka=settings.kafka, topic=name, group=f"{name}-group")
    delete_topic(settings.kafka, name)


@dataclass(slots=True)
class Ledger:
    """Effects by record, as a table with a natural key would have them.

    Attributes:
        asked: how often each effect was asked for.
        answered: the records whose batch's outcome the consumer knows.
        failing: what happens to each batch: nothing written, written without an answer, or None.
    """

    asked: Counter[int] = field(default_factory=Counter)
    answered: set[int] = field(default_factory=set)
    batches: int = 0
    failing: Iterator[Exception | None] = field(default_factory=lambda: itertools.repeat(None))

    async def handle(self, records: Sequence[Record]) -> BatchResult:
        # What a transaction takes.
        await asyncio.sleep(0.01)
        error = next(self.failing)
        if isinstance(error, NotAccepted):
            raise error
        numbers = [int(record.value or b"") for record in records]
        known = sum(number in self.asked for number in numbers)
        self.asked.update(numbers)
        self.batches += 1
        if error is not None:
            raise error
        self.answered.update(numbers)
        return BatchResult(processed=len(numbers) - known, duplicates=known)

    def has_all(self, count: int) -> bool:
        return len(self.answered) == count


@asynccontextmanager
async def member(place: Place, ledger: Ledger) -> AsyncIterator[KafkaRecordSource]:
    source = KafkaRecordSource(consumer_configuration(place.kafka, place.group))
    async with running(
        consumer(source, ledger, group=place.group, limits=LIMITS),
        topic=place.topic,
        patience_seconds=PATIENCE_SECONDS,
    ):
        yield source


async def load(place: Place, numbers: Iterator[int], stop: asyncio.Event) -> None:
    """Produce without pause in bursts of a hundred, as fast as the broker acknowledges, but no faster than 2,000/s."""
    while not stop.is_set():
        await asyncio.gather(
            asyncio.to_thread(place.produce, list(itertools.islice(numbers, 100))), asyncio.sleep(0.05)
        )


async def test_scaling_from_1_to_4_to_1_under_load_loses_nothing_and_repeats_little(place: Place) -> None:
    make_topic(place.kafka, place.topic, partitions=PARTITIONS)
    numbers, stop = itertools.count(), asyncio.Event()
    first, others = Ledger(), [Ledger() for _ in range(3)]
    together: Counter[int] = Counter()

    async with member(place, first):
        loading = asyncio.create_task(load(place, numbers, stop))
        await until(lambda: first.batches > 5, "work on one", patience_seconds=PATIENCE_SECONDS)
        async with AsyncExitStack() as scaled_out:
            for other in others:
                await scaled_out.enter_async_context(member(place, other))
            await until(
                lambda: all(other.batches > 5 for other in others), "work on four", patience_seconds=PATIENCE_SECONDS
            )
        before = first.batches
        await until(lambda: first.batches > before + 20, "work on one again", patience_seconds=PATIENCE_SECONDS)
        stop.set()
        await loading
        produced = next(numbers)

        def all_done() -> bool:
            return len(first.answered.union(*(other.answered for other in others))) == produced

        await until(all_done, "all records", patience_seconds=PATIENCE_SECONDS)

    for ledger in (first, *others):
        together.update(ledger.asked)
    repeated = together.total() - produced
    assert set(together) == set(range(produced))
    # Revocations commit first, so that only what Kafka refused then comes again: a batch for each change at worst.
    assert repeated <= 6 * LIMITS.records, f"{repeated} of {produced} came again"


async def test_errors_that_pass_lose_nothing(place: Place) -> None:
    make_topic(place.kafka, place.topic, partitions=PARTITIONS)
    place.produce(range(2000))
    errors = [NotAccepted("failover"), None, OutcomeUnknown("no answer to COMMIT"), None, None]
    ledger = Ledger(failing=itertools.cycle(errors))

    async with member(place, ledger):
        await until(lambda: ledger.has_all(2000), "all records", patience_seconds=PATIENCE_SECONDS)

    heir = Ledger()
    place.produce(range(2000, 2006))
    async with member(place, heir):
        await until(lambda: len(heir.answered) >= 6, "the rest", patience_seconds=PATIENCE_SECONDS)

    assert set(heir.asked) == set(range(2000, 2006))


async def test_what_a_killed_consumer_did_not_commit_comes_to_the_next(place: Place) -> None:
    make_topic(place.kafka, place.topic, partitions=PARTITIONS)
    place.produce(range(60))
    process = multiprocessing.get_context("spawn").Process(
        target=doomed_consumer.run, args=(place.kafka, place.group, place.topic)
    )
    process.start()
    await asyncio.to_thread(process.join, PATIENCE_SECONDS)
    ledger = Ledger()

    async with member(place, ledger):
        await until(lambda: ledger.has_all(60), "all records", patience_seconds=PATIENCE_SECONDS)

    assert process.exitcode == doomed_consumer.EXIT_CODE
    assert set(ledger.asked.values()) == {1}


async def test_a_consumer_waits_for_topics_that_are_not_there_yet(place: Place) -> None:
    ledger = Ledger()

    def topic_missing() -> bool:
        labels = {"group": place.group, "error": "UNKNOWN_TOPIC_OR_PART"}
        return bool(REGISTRY.get_sample_value("consumer_errors_total", labels))

    async with member(place, ledger):
        await until(topic_missing, "Kafka's word that the topic is missing", patience_seconds=PATIENCE_SECONDS)
        make_topic(place.kafka, place.topic, partitions=PARTITIONS)
        place.produce(range(12))
        await until(lambda: ledger.has_all(12), "the records of the new topic", patience_seconds=PATIENCE_SECONDS)
