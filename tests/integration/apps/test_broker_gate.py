import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.migrations import connected
from doorbuster.infra.outbox.broker_gate import (
    BROKER_ANSWER_SECONDS,
    CHECK_SECONDS,
    MOST_ROWS,
    BrokerGate,
    broker_question,
)
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings, MySqlSettings, Settings
from tests.integration.apps.relays import add_messages, reached
from tests.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def mysql(empty_tables: Settings) -> MySqlSettings:
    return empty_tables.mysql


@asynccontextmanager
async def open_gate(mysql: MySqlSettings, *, broker: bool = True) -> AsyncIterator[BrokerGate]:
    database = Database(mysql)
    gate = BrokerGate(database, lambda: broker, check_seconds=0.1)
    gate.start()
    try:
        yield gate
    finally:
        await gate.close()
        await database.close()


async def test_messages_that_wait_for_a_short_time_close_nothing(mysql: MySqlSettings) -> None:
    add_messages(mysql, "t", [(b"order", b"1")])
    async with open_gate(mysql, broker=False) as gate:
        await reached(lambda: gate.backlog is not None and gate.broker_reachable is False, "both are known")

        assert gate.accepts()


async def test_a_message_that_waits_for_more_than_a_minute_closes_the_gate(mysql: MySqlSettings) -> None:
    add_messages(mysql, "t", [(b"order", b"1")])
    with connected(mysql) as connection:
        connection.execute(text("UPDATE outbox SET created_at = created_at - INTERVAL 61 SECOND"))
    async with open_gate(mysql) as gate:
        await reached(lambda: not gate.accepts(), "the gate is closed")
        with pytest.raises(BrokerUnavailable):
            gate.require()

        with connected(mysql) as connection:
            connection.execute(text("UPDATE outbox SET published_at = UTC_TIMESTAMP(6)"))
        await reached(gate.accepts, "the gate is open again")
        gate.require()


async def test_too_many_messages_close_the_gate(mysql: MySqlSettings) -> None:
    many = text(
        "INSERT INTO outbox (topic, message_key, message_type, payload, created_at)"
        " WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)"
        " SELECT 't', 'k', 'test', '1', UTC_TIMESTAMP(6) FROM numbers"
    )
    with connected(mysql) as connection:
        connection.execute(text("SET SESSION cte_max_recursion_depth = 100000"))
        connection.execute(many, {"count": MOST_ROWS})
    async with open_gate(mysql) as gate:
        await reached(lambda: not gate.accepts(), "the gate is closed")

        assert gate.backlog is not None
        assert gate.backlog.rows == MOST_ROWS


def test_an_outage_of_kafka_is_seen_within_five_seconds() -> None:
    nowhere = broker_question(KafkaSettings(servers=f"127.0.0.1:{free_port()}"))

    assert not nowhere()
    assert 2 * CHECK_SECONDS + BROKER_ANSWER_SECONDS < 5


def test_a_broker_that_answers_is_reachable(settings: Settings) -> None:
    assert broker_question(settings.kafka)()


async def test_before_the_first_measurement_everything_is_accepted(mysql: MySqlSettings) -> None:
    database = Database(mysql)
    gate = BrokerGate(database, lambda: True)

    gate.require()
    assert gate.broker_reachable is None
    await gate.close()
    await database.close()


async def test_the_last_measurement_stands_while_the_database_is_gone() -> None:
    database = Database(MySqlSettings(hosts=("127.0.0.1",), port=free_port()))
    gate = BrokerGate(database, lambda: True, check_seconds=0.1)
    gate.start()
    await reached(lambda: gate.broker_reachable is True, "the checks run")
    await asyncio.sleep(0)
    await gate.close()
    await database.close()

    assert gate.accepts()
    assert gate.backlog is None
