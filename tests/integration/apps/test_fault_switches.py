"""Faults in a real consumer, with a real group and real tables: what they do, what they leave alone, who hears of them.

Each is set as the chart sets it, by the settings of the process.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from doorbuster.bootstrap.consumers import ConsumerName, parts_of
from doorbuster.bootstrap.poison import Dose, PoisonForbidden, poison
from doorbuster.consumers.__main__ import assembled
from doorbuster.contracts.bodies import OrderCompleted, OrderLine
from doorbuster.contracts.messages import Message, encode
from doorbuster.contracts.topics import Group, Topic
from doorbuster.infra.faults.consumer_faults import SlowTransactions, StuckPartition
from doorbuster.infra.faults.poison import PoisonKind
from doorbuster.infra.kafka.record_source import Partition
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.infra.notices import NoticeBoard, read
from doorbuster.kernel.ids import MessageId
from doorbuster.settings import FaultSettings, Settings
from tests.integration.apps.batch_steps import processed
from tests.integration.apps.kafka_topics import produce
from tests.integration.apps.patient_redis import patient
from tests.integration.apps.test_dead_letter_desk import letters_of, until_letters
from tests.integration.apps.test_kafka_record_source import KafkaWorld
from tests.unit.doorbuster.consumers.running import until
from tests.unit.doorbuster.consumers.source_contract import RecordSourceContract

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 60.0
NUMBERS = count(1)


class WorldThroughTheFault(KafkaWorld):
    """A topic of Kafka's, read through a fault that is about another one."""

    def source(self) -> StuckPartition:  # type: ignore[override]  # the same port
        return StuckPartition(super().source(), Partition("elsewhere", 0))


class TestOtherPartitionsAreReadAsEver(RecordSourceContract):
    @pytest.fixture
    def world(self, settings: Settings) -> Iterator[WorldThroughTheFault]:
        yield from WorldThroughTheFault(settings.kafka).standing()


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Redis]:
    client = patient(settings.redis)
    await client.delete(*NoticeBoard)
    yield client
    await client.delete(*NoticeBoard)
    await client.aclose()


def with_faults(settings: Settings, **faults: object) -> Settings:
    return settings.model_copy(update={"faults": FaultSettings.model_validate(faults)})


def measured(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def consumer(settings: Settings) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    async with parts_of(ConsumerName.POST_PROCESS, settings) as parts:
        runtime = assembled(ConsumerName.POST_PROCESS, parts)
        tasks = [asyncio.create_task(runtime.run([Topic.ORDER_COMPLETED], stopping))]
        tasks += [asyncio.create_task(companion(stopping)) for companion in parts.companions]
        try:
            yield
            stopping.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until_processed(database: Database, wanted: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if await processed(database) >= wanted:
                return
            await asyncio.sleep(0.05)


def completed() -> bytes:
    number = next(NUMBERS)
    line = OrderLine(product_id=1, quantity=1, unit_price=100)
    body = OrderCompleted(order_id=UUID(int=number), user_id=1, lines=(line,), total=100)
    return encode(Message(id=MessageId(UUID(int=number)), occurred_at=datetime.now(UTC), body=body))


async def test_a_stuck_partition_waits_and_the_others_go_on_until_the_fault_is_gone(
    settings: Settings, topics: frozenset[str], database: Database, client: Redis
) -> None:
    produce(settings.kafka, Topic.ORDER_COMPLETED, [(number % 3, completed()) for number in range(30)])

    async with consumer(with_faults(settings, stuck_partition=f"{Topic.ORDER_COMPLETED}/1")):
        await until_processed(database, 20)
        await until(
            lambda: measured("fault_active", fault="stuck-partition") == 1,
            "the metric",
            patience_seconds=PATIENCE_SECONDS,
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if await read(client, NoticeBoard.FAULTS) == ("consumer-post-process/stuck-partition",):
                    break
                await asyncio.sleep(0.05)
    stuck = await processed(database)
    async with consumer(settings):
        await until_processed(database, 30)

    assert topics
    assert (stuck, await processed(database)) == (20, 30)
    assert measured("fault_active", fault="stuck-partition") == 0


async def test_batches_that_fail_on_purpose_lose_double_and_give_up_nothing(
    settings: Settings, topics: frozenset[str], database: Database
) -> None:
    labels = {"group": Group.POST_PROCESS, "cause": "MadeToFail"}
    before = measured("consumer_retries_total", **labels)
    produce(settings.kafka, Topic.ORDER_COMPLETED, [(0, completed()) for _ in range(50)])

    async with consumer(with_faults(settings, error_rate=0.7, error_seed=1)):
        await until_processed(database, 50)

    assert topics
    assert measured("consumer_retries_total", **labels) > before
    assert await processed(database) == 50
    assert await letters_of(database) == []


async def test_each_transaction_waits_in_the_database(database: Database) -> None:
    async with database.transaction() as connection:
        before = await database_time(connection)
    slow = SlowTransactions(database, seconds=0.3)

    async with slow.transaction() as connection:
        now = await database_time(connection)

    assert now - before >= timedelta(seconds=0.3)


async def test_a_slow_query_is_no_error_of_the_consumer(
    settings: Settings, topics: frozenset[str], database: Database
) -> None:
    produce(settings.kafka, Topic.ORDER_COMPLETED, [(0, completed()) for _ in range(5)])
    before = measured("consumer_busy_seconds_total", group=Group.POST_PROCESS)

    async with consumer(with_faults(settings, slow_query="300ms")):
        await until_processed(database, 5)

    assert topics
    assert measured("consumer_busy_seconds_total", group=Group.POST_PROCESS) - before >= 0.3


@pytest.mark.parametrize("kind", PoisonKind)
async def test_poison_is_given_up_and_the_partition_goes_on(
    settings: Settings, topics: frozenset[str], database: Database, kind: PoisonKind
) -> None:
    allowed = with_faults(settings, poison=True)
    sent = await poison(allowed, Dose(topic=Topic.ORDER_COMPLETED, kind=kind, count=3))
    produce(settings.kafka, Topic.ORDER_COMPLETED, [(number, completed()) for number in range(3)])

    async with consumer(settings):
        await until_letters(database, 3)
        await until_processed(database, 6)

    assert topics
    places = {(letter.partition, letter.offset) for letter in await letters_of(database)}
    assert places == {(each.partition, each.offset) for each in sent}


async def test_poison_is_off_unless_the_settings_say_so(settings: Settings) -> None:
    with pytest.raises(PoisonForbidden):
        await poison(settings, Dose(topic=Topic.ORDER_COMPLETED, kind=PoisonKind.MALFORMED, count=1))
