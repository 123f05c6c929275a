"""Relays as the job puts them together, and outbox rows for them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection, Row, func, insert, select, text

from doorbuster.infra.kafka.producer import Producer
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.database_lock import DatabaseLock
from doorbuster.infra.mysql.migrations import connected
from doorbuster.infra.mysql.tables import outbox
from doorbuster.infra.outbox.relay import Relay
from doorbuster.settings import KafkaSettings, MySqlSettings
from tests.integration.apps.servers import Servers

LOCK = "relay-of-tests"
WAIT_SECONDS = 30


@dataclass(slots=True, kw_only=True)
class RunningRelay:
    """One relay that publishes, or stands by."""

    relay: Relay
    lock: DatabaseLock
    stop: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def running_relay(
    mysql: MySqlSettings, producer: Producer, *, batch_rows: int = 500, make_database: type[Database] = Database
) -> AsyncIterator[RunningRelay]:
    """Run a relay until the context ends, with a lock that is sought often; the producer stays its owner's."""
    database = make_database(mysql, reader_pool_size=2)
    lock = DatabaseLock(database, LOCK, seek_seconds=0.1, check_seconds=0.1)
    running = RunningRelay(relay=Relay(database, producer, batch_rows=batch_rows), lock=lock)
    task = asyncio.create_task(lock.run(partial(running.relay.run, stop=running.stop), stop=running.stop))
    try:
        yield running
    finally:
        running.stop.set()
        await task
        await database.close()


@asynccontextmanager
async def kafka_producer(settings: KafkaSettings, *, delivery_seconds: float = 10) -> AsyncIterator[Producer]:
    """Lend a producer."""
    producer = Producer.connect(settings, delivery_seconds=delivery_seconds)
    try:
        yield producer
    finally:
        await producer.close(2)


@contextmanager
def read_only(servers: Servers) -> Iterator[None]:
    """Make the server one that may not write, as a primary is that became a secondary."""
    servers.mysql.administer(0, "SET GLOBAL super_read_only = ON")
    try:
        yield
    finally:
        servers.mysql.administer(0, "SET GLOBAL super_read_only = OFF")
        servers.mysql.administer(0, "SET GLOBAL read_only = OFF")


def add_messages(mysql: MySqlSettings, topic: str, messages: Sequence[tuple[bytes, bytes]]) -> None:
    """Commit messages to the outbox, each a key and a value."""
    with connected(mysql) as connection:
        insert_messages(connection, topic, messages)


def insert_messages(connection: Connection, topic: str, messages: Sequence[tuple[bytes, bytes]]) -> None:
    """Insert messages into the outbox without a commit."""
    row = {"topic": topic, "message_type": "test", "created_at": func.utc_timestamp(6)}
    connection.execute(
        insert(outbox).values([{**row, "message_key": key, "payload": value} for key, value in messages])
    )


def rows(mysql: MySqlSettings) -> Sequence[Row[tuple[object, ...]]]:
    """Return the outbox in the order of its messages."""
    with connected(mysql) as connection:
        return connection.execute(select(outbox).order_by(outbox.c.seq)).all()


def unpublished(mysql: MySqlSettings) -> int:
    """Return how many messages wait."""
    return sum(row.published_at is None for row in rows(mysql))


def end_lock_holder(mysql: MySqlSettings) -> None:
    """Have the server end the connection that holds the lock, as a failing network does."""
    with connected(mysql) as connection:
        holder = connection.execute(
            text("SELECT IS_USED_LOCK(CONCAT(DATABASE(), '.', :name))"), {"name": LOCK}
        ).scalar()
        assert holder is not None
        connection.execute(text(f"KILL {int(holder)}"))


async def reached(state: Callable[[], bool], what: str) -> None:
    """Wait until the state is true.

    Raises:
        AssertionError: it isn't after WAIT_SECONDS.
    """
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while not await asyncio.to_thread(state):
        assert asyncio.get_running_loop().time() < deadline, f"not within {WAIT_SECONDS} s: {what}"
        await asyncio.sleep(0.05)
