import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from doorbuster.infra.kafka.producer import Delivered, Producer, SendFailed
from doorbuster.settings import KafkaSettings, Settings
from tests.integration.apps.topic_reader import own_topic, values_by_key
from tests.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def topic(settings: Settings) -> Iterator[str]:
    with own_topic(settings.kafka) as name:
        yield name


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[Producer]:
    producer = Producer.connect(settings.kafka)
    yield producer
    await producer.close()


async def test_a_delivered_message_stands_where_kafka_said(settings: Settings, producer: Producer, topic: str) -> None:
    places = [await producer.send(topic, key=b"order", value=b"%d" % number) for number in range(3)]

    partition = places[0].partition
    assert places == [Delivered(partition=partition, offset=offset) for offset in range(3)]
    assert values_by_key(settings.kafka, topic) == {b"order": [b"0", b"1", b"2"]}


async def test_messages_of_a_key_keep_the_order_of_sending(settings: Settings, producer: Producer, topic: str) -> None:
    keys = [b"key-%d" % number for number in range(20)]
    messages = [(key, b"%d" % number) for number in range(100) for key in keys]
    await asyncio.gather(*(producer.send(topic, key=key, value=value) for key, value in messages))

    in_order: list[bytes | None] = [b"%d" % number for number in range(100)]
    assert values_by_key(settings.kafka, topic) == dict.fromkeys(keys, in_order)


async def test_a_message_that_the_cluster_refuses_is_not_retriable(producer: Producer, topic: str) -> None:
    with pytest.raises(SendFailed) as failure:
        await producer.send(topic, key=b"k", value=b"x" * 2_000_000)

    assert (failure.value.cause, failure.value.retriable) == ("MSG_SIZE_TOO_LARGE", False)


async def test_without_kafka_a_message_fails_in_its_time_and_may_be_sent_again() -> None:
    nowhere = KafkaSettings(servers=f"127.0.0.1:{free_port()}")
    producer = Producer.connect(nowhere, delivery_seconds=1)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(SendFailed) as failure:
                await producer.send("t", key=b"k", value=b"v")
    finally:
        await producer.close(1)

    assert (failure.value.cause, failure.value.retriable) == ("_MSG_TIMED_OUT", True)


async def test_close_delivers_what_was_sent(settings: Settings, topic: str) -> None:
    producer = Producer.connect(settings.kafka)
    sent = [asyncio.create_task(producer.send(topic, key=b"k", value=b"%d" % number)) for number in range(50)]
    await asyncio.sleep(0)
    await producer.close()

    assert sorted(each.offset for each in await asyncio.gather(*sent)) == list(range(50))
