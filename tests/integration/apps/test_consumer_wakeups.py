"""A consumer's commit wakes the relay, and costs nothing where Redis is gone (R9, R17)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from time import monotonic
from uuid import UUID

import pytest

from doorbuster.bootstrap.consumers import ConsumerName, Parts, parts_of
from doorbuster.contracts.bodies import OrderCreated
from doorbuster.contracts.messages import Message, encode
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.infra.redis import connect, listen_for_wakeups
from doorbuster.kernel.ids import MessageId
from doorbuster.settings import RedisSettings, Settings
from tests.integration.apps.relays import reached
from tests.ports import free_port

pytestmark = pytest.mark.integration

BATCHES = 5
WAKE_SECONDS = 5.0
MOST_COMMITS = 10
# A batch takes milliseconds; a connection that is waited for takes a quarter of a second.
QUICK_SECONDS = 1.0


def record(number: int) -> Record:
    body = OrderCreated(order_id=UUID(int=number), user_id=1, lines=(), total=1)
    value = encode(Message(id=MessageId(UUID(int=number)), occurred_at=datetime.now(UTC), body=body))
    return Record(topic="order-created", partition=0, offset=number, key=None, value=value, timestamp_ms=1)


@asynccontextmanager
async def coupon_consumer(settings: Settings) -> AsyncIterator[Parts]:
    async with parts_of(ConsumerName.COUPON, settings) as parts:
        try:
            yield parts
        finally:
            parts.source.close()


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[list[None]]:
    """Yield the wake-ups that came; the first is the subscription's own, and it has come."""
    woken: list[None] = []
    client = connect(settings.redis)
    listener = asyncio.create_task(listen_for_wakeups(client, lambda: woken.append(None)))
    try:
        await reached(lambda: len(woken) == 1, "the subscription stands")
        yield woken
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
        await client.aclose()


async def test_a_commit_with_events_wakes_the_relay_and_repeats_do_not(empty_tables: Settings) -> None:
    numbers = count(1)

    async def commit_until_woken(parts: Parts, woken: list[None]) -> int:
        """Commit one record after the other until a wake-up comes: it is sent without waiting for a slow Redis."""
        before = len(woken)
        for number in numbers:
            await parts.handler.handle([record(number)])
            with suppress(TimeoutError):
                async with asyncio.timeout(WAKE_SECONDS):
                    await reached(lambda: len(woken) > before, "the commit's wake-up has come")
                return number
            assert number < MOST_COMMITS, "no commit wakes the relay"
        raise AssertionError

    async with listening(empty_tables) as woken, coupon_consumer(empty_tables) as parts:
        last = await commit_until_woken(parts, woken)
        await parts.handler.handle([record(last)])
        commits = await commit_until_woken(parts, woken)

    # A repeat that woke it would be one more than there were commits.
    assert len(woken) - 1 <= commits


async def test_without_redis_batches_are_committed_as_quickly(empty_tables: Settings) -> None:
    nowhere = empty_tables.model_copy(update={"redis": RedisSettings(address=f"127.0.0.1:{free_port()}")})
    async with coupon_consumer(nowhere) as parts:
        await parts.handler.handle([record(0)])
        begun = monotonic()
        results = [await parts.handler.handle([record(number)]) for number in range(1, BATCHES + 1)]

    assert results == [BatchResult(processed=1)] * BATCHES
    assert monotonic() - begun < QUICK_SECONDS
