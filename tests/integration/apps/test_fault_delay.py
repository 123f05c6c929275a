"""A consumer that is slow on purpose, with a real group, its real step and real tables (P19)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from doorbuster.bootstrap.consumers import ConsumerName, parts_of
from doorbuster.consumers.__main__ import assembled
from doorbuster.contracts.bodies import OrderCompleted, OrderLine
from doorbuster.contracts.messages import Message, encode
from doorbuster.contracts.topics import Group, Topic
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import MessageId
from doorbuster.settings import Settings
from tests.integration.apps.batch_steps import processed
from tests.integration.apps.kafka_topics import produce
from tests.unit.doorbuster.consumers.running import until

pytestmark = pytest.mark.integration

DELAY = timedelta(milliseconds=100)
RECORDS = 30
PATIENCE_SECONDS = 60.0


def measured(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"group": Group.POST_PROCESS, **labels}) or 0.0


@asynccontextmanager
async def slow_consumer(settings: Settings) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    async with parts_of(ConsumerName.POST_PROCESS, settings) as parts:
        runtime = assembled(ConsumerName.POST_PROCESS, parts, delay_per_record=DELAY)
        task = asyncio.create_task(runtime.run([Topic.ORDER_COMPLETED], stopping))
        try:
            yield
            stopping.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_each_record_takes_its_time_and_a_second_member_takes_half_of_them(
    settings: Settings, topics: frozenset[str], database: Database
) -> None:
    values = [(number % 2, completed(number)) for number in range(1, RECORDS + 1)]
    produce(settings.kafka, Topic.ORDER_COMPLETED, values)
    before = {name: measured(name) for name in ("consumer_batches_total", "consumer_busy_seconds_total")}
    done_before = done()

    async with slow_consumer(settings):
        await until(
            lambda: measured("consumer_batches_total") > before["consumer_batches_total"],
            "work on one",
            patience_seconds=PATIENCE_SECONDS,
        )
        async with slow_consumer(settings):
            await until(lambda: done() - done_before >= RECORDS, "all records", patience_seconds=PATIENCE_SECONDS)

    assert topics
    assert await processed(database) == RECORDS
    assert measured("consumer_batch_limit") == 5
    assert measured("fault_delay_seconds") == DELAY.total_seconds()
    busy = measured("consumer_busy_seconds_total") - before["consumer_busy_seconds_total"]
    assert busy >= RECORDS * DELAY.total_seconds()
    assert measured("consumer_batches_total") - before["consumer_batches_total"] >= RECORDS / 5


def completed(number: int) -> bytes:
    line = OrderLine(product_id=1, quantity=1, unit_price=100)
    body = OrderCompleted(order_id=UUID(int=number), user_id=1, lines=(line,), total=100)
    return encode(Message(id=MessageId(UUID(int=number)), occurred_at=datetime.now(UTC), body=body))


def done() -> float:
    """Return how many records this process has finished; earlier tests may have finished some."""
    results = ("processed", "duplicate", "dead-letter")
    return sum(measured("consumer_records_total", result=result) for result in results)
