import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from doorbuster.infra.mysql.database import Database
from doorbuster.infra.outbox.broker_gate import BrokerGate, broker_question
from doorbuster.settings import Settings
from tests.integration.apps.relays import add_messages, kafka_producer, reached, running_relay, unpublished
from tests.integration.apps.servers import Servers
from tests.integration.apps.topic_reader import own_topic, values_by_key

pytestmark = pytest.mark.integration

RESTART_SECONDS = 120
# R17
SEEN_SECONDS = 5


@pytest.fixture
def topic(empty_tables: Settings) -> Iterator[str]:
    with own_topic(empty_tables.kafka) as name:
        yield name


@pytest.fixture
async def gate(empty_tables: Settings) -> AsyncIterator[BrokerGate]:
    database = Database(empty_tables.mysql)
    gate = BrokerGate(database, broker_question(empty_tables.kafka))
    gate.start()
    yield gate
    await gate.close()
    await database.close()


@pytest.fixture
def kafka_can_die(servers: Servers) -> Iterator[Servers]:
    """The servers, whose Kafka is whole again after the test."""
    yield servers
    servers.kafka.until_complete(RESTART_SECONDS)


async def test_what_is_stored_while_kafka_is_gone_is_published_when_it_is_back(
    kafka_can_die: Servers, empty_tables: Settings, gate: BrokerGate, topic: str
) -> None:
    mysql, pod = empty_tables.mysql, kafka_can_die.kafka.pods[0]
    async with kafka_producer(empty_tables.kafka) as producer, running_relay(mysql, producer):
        add_messages(mysql, topic, [(b"order", b"1")])
        await reached(lambda: unpublished(mysql) == 0 and gate.broker_reachable is True, "all is well")

        pod.kill_container("kafka")
        try:
            async with asyncio.timeout(SEEN_SECONDS):
                await reached(lambda: gate.broker_reachable is False, "the outage is seen")
            add_messages(mysql, topic, [(b"order", b"2"), (b"order", b"3")])
            await reached(lambda: gate.backlog is not None and gate.backlog.oldest_age_seconds > 2, "messages wait")
            assert gate.accepts()
            assert unpublished(mysql) == 2
        finally:
            pod.start_container("kafka")
        await asyncio.to_thread(kafka_can_die.kafka.until_complete, RESTART_SECONDS)
        await reached(lambda: unpublished(mysql) == 0, "all are published")

    values = values_by_key(empty_tables.kafka, topic)[b"order"]
    assert list(dict.fromkeys(values)) == [b"1", b"2", b"3"]
