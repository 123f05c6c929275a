import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Message
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.messages import LONGEST_MESSAGE_BYTES
from doorbuster.infra.kafka.producer import ClusterMetadata, DeliveryReport, Producer
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.migrations import connected
from doorbuster.infra.outbox.outbox_backlog import measure, show_backlog
from doorbuster.infra.telemetry import OUTBOX_OLDEST_AGE_SECONDS
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.settings import KafkaSettings, MySqlSettings, Settings
from tests.integration.apps.relays import (
    add_messages,
    end_lock_holder,
    insert_messages,
    kafka_producer,
    reached,
    rows,
    running_relay,
    unpublished,
)
from tests.integration.apps.topic_reader import own_topic, values_by_key
from tests.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def mysql(empty_tables: Settings) -> MySqlSettings:
    return empty_tables.mysql


@pytest.fixture
def kafka(settings: Settings) -> KafkaSettings:
    return settings.kafka


@pytest.fixture
def topic(kafka: KafkaSettings) -> Iterator[str]:
    with own_topic(kafka) as name:
        yield name


class ScriptedClient:
    """A Kafka that acknowledges everything at once, except for certain values."""

    def __init__(self, *, refused: set[bytes]) -> None:
        self.sent: list[bytes | None] = []
        self._refused = refused

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        *,
        on_delivery: DeliveryReport | None = None,
        headers: list[tuple[str, str | bytes | None]] | None = None,
        partition: int = -1,
    ) -> None:
        self.sent.append(value)
        error = KafkaError(KafkaError._MSG_TIMED_OUT) if value in self._refused else None
        assert on_delivery is not None
        on_delivery(error, cast("Message", self))

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return len(self.sent)

    def list_topics(self, *, timeout: float) -> ClusterMetadata:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    def poll(self, timeout: float) -> int:
        return 0

    def flush(self, timeout: float) -> int:
        return 0

    def purge(self, *, in_flight: bool = True) -> None:
        pass


class DiesBeforeTheNote(Database):
    """Loses its connection once, between Kafka's acknowledgement and the note of it."""

    deaths = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        if not self.deaths:
            self.deaths += 1
            raise PrimaryUnavailable("the relay dies here")
        async with super().transaction() as connection:
            yield connection


async def test_all_messages_are_published_in_the_order_of_their_key(
    mysql: MySqlSettings, kafka: KafkaSettings, topic: str
) -> None:
    keys = [b"order-%d" % number for number in range(10)]
    add_messages(mysql, topic, [(key, b"%d" % number) for number in range(12) for key in keys])

    async with kafka_producer(kafka) as producer, running_relay(mysql, producer, batch_rows=35):
        await reached(lambda: unpublished(mysql) == 0, "all are published")

    in_order: list[bytes | None] = [b"%d" % number for number in range(12)]
    assert values_by_key(kafka, topic) == dict.fromkeys(keys, in_order)


async def test_many_large_messages_are_published_in_batches_that_the_group_takes(
    mysql: MySqlSettings, kafka: KafkaSettings, topic: str
) -> None:
    """Together their notes would log more than the group's limit for a transaction, and that again and again."""
    for first in range(0, 60, 10):
        add_messages(
            mysql, topic, [(b"%d" % number, b"x" * LONGEST_MESSAGE_BYTES) for number in range(first, first + 10)]
        )

    async with kafka_producer(kafka) as producer, running_relay(mysql, producer):
        await reached(lambda: unpublished(mysql) == 0, "all are published")

    assert len(values_by_key(kafka, topic)) == 60


async def test_a_row_says_where_its_message_stands(mysql: MySqlSettings, kafka: KafkaSettings, topic: str) -> None:
    add_messages(mysql, topic, [(b"order", b"%d" % number) for number in range(5)])

    async with kafka_producer(kafka) as producer, running_relay(mysql, producer):
        await reached(lambda: unpublished(mysql) == 0, "all are published")

    assert [row.kafka_offset for row in rows(mysql)] == list(range(5))
    assert len({row.kafka_partition for row in rows(mysql)}) == 1


async def test_published_rows_stay(mysql: MySqlSettings, kafka: KafkaSettings, topic: str) -> None:
    add_messages(mysql, topic, [(b"order", b"1")])

    async with kafka_producer(kafka) as producer, running_relay(mysql, producer):
        await reached(lambda: unpublished(mysql) == 0, "it is published")

    assert len(rows(mysql)) == 1


async def test_a_death_between_acknowledgement_and_note_repeats_and_loses_nothing(
    mysql: MySqlSettings, kafka: KafkaSettings, topic: str
) -> None:
    add_messages(mysql, topic, [(b"order", b"1"), (b"order", b"2")])

    async with kafka_producer(kafka) as producer, running_relay(mysql, producer, make_database=DiesBeforeTheNote):
        await reached(lambda: unpublished(mysql) == 0, "all are published")

    assert values_by_key(kafka, topic) == {b"order": [b"1", b"2", b"1", b"2"]}


async def test_one_of_two_relays_works_and_the_other_takes_over(
    mysql: MySqlSettings, kafka: KafkaSettings, topic: str
) -> None:
    async with kafka_producer(kafka) as producer, running_relay(mysql, producer) as first:
        await reached(lambda: first.lock.held, "the first holds the lock")
        async with running_relay(mysql, producer) as second:
            add_messages(mysql, topic, [(b"order", b"1")])
            await reached(lambda: unpublished(mysql) == 0, "the first has published")
            assert (first.lock.held, second.lock.held) == (True, False)

            first.stop.set()
            await reached(lambda: second.lock.held, "the second holds the lock")
            add_messages(mysql, topic, [(b"order", b"2")])
            await reached(lambda: unpublished(mysql) == 0, "the second has published")

    assert values_by_key(kafka, topic) == {b"order": [b"1", b"2"]}


async def test_a_relay_whose_lock_connection_ends_goes_on_with_a_new_lock(
    mysql: MySqlSettings, kafka: KafkaSettings, topic: str
) -> None:
    async with kafka_producer(kafka) as producer, running_relay(mysql, producer) as running:
        await reached(lambda: running.lock.held, "it holds the lock")
        end_lock_holder(mysql)
        add_messages(mysql, topic, [(b"order", b"1")])
        await reached(lambda: unpublished(mysql) == 0, "it publishes again")


async def test_a_commit_that_comes_late_with_a_lower_number_is_published(
    mysql: MySqlSettings, kafka: KafkaSettings, topic: str
) -> None:
    async with kafka_producer(kafka) as producer, running_relay(mysql, producer):
        with connected(mysql) as late:
            insert_messages(late, topic, [(b"late", b"1")])
            add_messages(mysql, topic, [(b"early", b"2")])
            await reached(lambda: [row.published_at is not None for row in rows(mysql)] == [True], "early is published")
        await reached(lambda: len(rows(mysql)) == 2 and unpublished(mysql) == 0, "late is published")

    assert [(row.message_key, row.kafka_offset) for row in rows(mysql)] == [(b"late", 0), (b"early", 0)]


async def test_nothing_of_a_key_is_sent_after_its_first_failure(mysql: MySqlSettings) -> None:
    add_messages(mysql, "t", [(b"a", b"a1"), (b"b", b"b1"), (b"a", b"a2"), (b"b", b"b2"), (b"a", b"a3")])
    client = ScriptedClient(refused={b"a2"})
    producer = Producer(client)
    async with running_relay(mysql, producer):
        await reached(lambda: client.sent.count(b"a2") > 1, "the failure was tried again")
    await producer.close()

    assert b"a3" not in client.sent
    published = {row.payload for row in rows(mysql) if row.published_at is not None}
    assert published == {b"a1", b"b1", b"b2"}


async def test_without_kafka_messages_wait_grow_old_and_are_all_published_later(
    mysql: MySqlSettings, kafka: KafkaSettings, topic: str
) -> None:
    port = free_port()
    add_messages(mysql, topic, [(b"order", b"%d" % number) for number in range(20)])
    database = Database(mysql)
    way = KafkaSettings(servers=f"127.0.0.1:{port}")
    async with kafka_producer(way, delivery_seconds=2) as producer, running_relay(mysql, producer):
        async with database.reading() as connection:
            first = await measure(connection)
        await asyncio.sleep(1)  # the time itself is what is measured
        async with database.reading() as connection:
            second = await measure(connection)
        assert (first.rows, second.rows) == (20, 20)
        assert second.oldest_age_seconds >= first.oldest_age_seconds + 1
        async with forwarding(port, kafka.servers):
            await reached(lambda: unpublished(mysql) == 0, "all are published")
    await database.close()

    assert values_by_key(kafka, topic) == {b"order": [b"%d" % number for number in range(20)]}


async def test_an_empty_outbox_has_no_age(mysql: MySqlSettings) -> None:
    database = Database(mysql)
    async with database.reading() as connection:
        backlog = await measure(connection)
    await database.close()

    assert (backlog.rows, backlog.oldest_age_seconds) == (0, 0)


def test_what_could_not_be_measured_is_not_shown_as_nothing() -> None:
    show_backlog(None)

    assert math.isnan(OUTBOX_OLDEST_AGE_SECONDS._value.get())


@asynccontextmanager
async def forwarding(port: int, servers: str) -> AsyncIterator[None]:
    """Let a way to Kafka appear at a port, which leads to its own address."""
    host, _, own_port = servers.rpartition(":")
    ways: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(own_port))
        ways.update({asyncio.create_task(copy(reader, back)), asyncio.create_task(copy(there, writer))})

    server = await asyncio.start_server(connect, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
