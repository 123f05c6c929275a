"""What the relay sends, notes and drops; with a database and a Kafka that are lists."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.kafka.producer import KEY_DECIDES, Producer
from doorbuster.infra.mysql.database_lock import HeldLock, LockLost
from doorbuster.infra.outbox.relay import ProducerBroken, Published, Relay
from tests.unit.doorbuster.infra.kafka.test_producer import FakeClient


class OutboxRows:
    """A database whose outbox is a list; it takes notes of what was published."""

    def __init__(self, *messages: tuple[bytes, bytes], headers: Mapping[str, str] | None = None) -> None:
        self.rows = [
            SimpleNamespace(seq=seq, topic="t", message_key=key, payload=value, headers=headers)
            for seq, (key, value) in enumerate(messages, 1)
        ]
        self.notes: list[list[int]] = []

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        yield cast("AsyncConnection", self)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        yield cast("AsyncConnection", self)

    async def execute(self, _: object, parameters: Mapping[str, Any] | None = None) -> Sequence[SimpleNamespace]:
        if parameters is None or "acknowledged" not in parameters:
            return self.rows
        self.notes += json.loads(parameters["acknowledged"])
        return []


class Lock:
    """A lock that is held, or lost."""

    def __init__(self, *, held: bool = True) -> None:
        self._held = held

    async def confirm(self) -> None:
        if not self._held:
            raise LockLost("another holds it")


def lock(*, held: bool = True) -> HeldLock:
    return cast("HeldLock", Lock(held=held))


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
async def producer(client: FakeClient) -> AsyncIterator[Producer]:
    producer = Producer(client)
    yield producer
    await producer.close(0.1)


async def until_sent(client: FakeClient, *values: bytes) -> None:
    for _ in range(10_000):
        if [value for _, _, value in client.queued] == list(values):
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"sent were {client.queued}")


async def test_different_keys_are_sent_at_once(client: FakeClient, producer: Producer) -> None:
    database = OutboxRows((b"a", b"a1"), (b"b", b"b1"), (b"c", b"c1"))
    batch = asyncio.create_task(Relay(database, producer).publish_batch(lock()))
    await until_sent(client, b"a1", b"b1", b"c1")
    client.answer(3)

    assert await batch == Published(waiting=3, acknowledged=3)
    assert database.notes == [[1, 3, 0], [2, 3, 1], [3, 3, 2]]


async def test_a_message_waits_for_the_acknowledgement_of_the_one_before(
    client: FakeClient, producer: Producer
) -> None:
    database = OutboxRows((b"a", b"a1"), (b"a", b"a2"), (b"b", b"b1"))
    batch = asyncio.create_task(Relay(database, producer).publish_batch(lock()))
    await until_sent(client, b"a1", b"b1")
    client.answer()
    await until_sent(client, b"a1", b"b1", b"a2")
    client.answer(2)

    assert await batch == Published(waiting=3, acknowledged=3)


async def test_after_a_failure_nothing_of_the_key_is_sent_or_noted(client: FakeClient, producer: Producer) -> None:
    database = OutboxRows((b"a", b"a1"), (b"a", b"a2"), (b"b", b"b1"))
    batch = asyncio.create_task(Relay(database, producer).publish_batch(lock()))
    await until_sent(client, b"a1", b"b1")
    client.answer(error=KafkaError(KafkaError._MSG_TIMED_OUT))
    client.answer()

    assert await batch == Published(waiting=3, acknowledged=1)
    assert [value for _, _, value in client.queued] == [b"a1", b"b1"]
    assert [seq for seq, _, _ in database.notes] == [3]


async def test_a_batch_goes_to_one_partition_and_the_next_batch_to_another(
    client: FakeClient, producer: Producer
) -> None:
    client.leaders = {"t": {0: 1, 1: 2}}
    relay = Relay(OutboxRows((b"a", b"a1"), (b"b", b"b1")), producer)
    for sent in (2, 4):
        batch = asyncio.create_task(relay.publish_batch(lock()))
        await until_sent(client, *[b"a1", b"b1"] * (sent // 2))
        client.answer(2)
        await batch

    assert sorted(client.partitions[:2]) in ([0, 0], [1, 1])
    assert sorted(client.partitions) == [0, 0, 1, 1]


async def test_a_partition_without_a_leader_is_left_out(client: FakeClient, producer: Producer) -> None:
    client.leaders = {"t": {0: -1, 1: 2, 2: -1}}
    relay = Relay(OutboxRows((b"a", b"a1")), producer)
    for sent in (1, 2, 3):
        batch = asyncio.create_task(relay.publish_batch(lock()))
        await until_sent(client, *[b"a1"] * sent)
        client.answer()
        await batch

    assert client.partitions == [1, 1, 1]


async def test_after_a_failure_it_asks_again_which_partitions_have_a_leader(
    client: FakeClient, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorbuster.infra.outbox.relay.LEARN_AGAIN_SECONDS", 0)
    client.leaders = {"t": {0: 1}}
    relay = Relay(OutboxRows((b"a", b"a1")), producer)
    for sent, error in ((1, KafkaError(KafkaError._MSG_TIMED_OUT)), (2, None)):
        batch = asyncio.create_task(relay.publish_batch(lock()))
        await until_sent(client, *[b"a1"] * sent)
        client.leaders = {"t": {0: -1, 1: 2}}
        client.answer(error=error)
        await batch

    assert client.partitions == [0, 1]


async def test_it_asks_again_soon_when_no_broker_has_answered(
    client: FakeClient, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorbuster.infra.outbox.relay.LEARN_AGAIN_SECONDS", 0)
    relay = Relay(OutboxRows((b"a", b"a1")), producer)
    for sent in (1, 2):
        batch = asyncio.create_task(relay.publish_batch(lock()))
        await until_sent(client, *[b"a1"] * sent)
        client.leaders = {"t": {7: 1}}
        client.answer()
        await batch

    assert client.partitions == [KEY_DECIDES, 7]


async def test_as_long_as_no_broker_says_which_partitions_there_are_the_key_decides(
    client: FakeClient, producer: Producer
) -> None:
    batch = asyncio.create_task(Relay(OutboxRows((b"a", b"a1")), producer).publish_batch(lock()))
    await until_sent(client, b"a1")
    client.answer()
    await batch

    assert client.partitions == [KEY_DECIDES]


async def test_headers_are_sent_as_bytes(client: FakeClient, producer: Producer) -> None:
    database = OutboxRows((b"a", b"a1"), headers={"cause": "größer"})
    batch = asyncio.create_task(Relay(database, producer).publish_batch(lock()))
    await until_sent(client, b"a1")
    client.answer()
    await batch

    assert client.headers == [[("cause", "größer".encode())]]


async def test_without_the_lock_nothing_is_sent(client: FakeClient, producer: Producer) -> None:
    with pytest.raises(LockLost):
        await Relay(OutboxRows((b"a", b"a1")), producer).publish_batch(lock(held=False))

    assert client.queued == []


async def test_who_loses_the_lock_while_sending_drops_what_waits(client: FakeClient, producer: Producer) -> None:
    database = OutboxRows((b"a", b"a1"), (b"a", b"a2"))
    running = asyncio.create_task(Relay(database, producer).run(lock(), stop=asyncio.Event()))
    await until_sent(client, b"a1")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    with pytest.raises(IndexError):
        client.answer()  # nothing is open any more
    assert [value for _, _, value in client.queued] == [b"a1"]
    assert database.notes == []


async def test_a_producer_that_is_refused_for_good_ends_the_relay_after_the_note(
    client: FakeClient, producer: Producer
) -> None:
    database = OutboxRows((b"a", b"a1"), (b"b", b"b1"))
    batch = asyncio.create_task(Relay(database, producer).publish_batch(lock()))
    await until_sent(client, b"a1", b"b1")
    client.answer()
    client.answer(error=KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "gap", fatal=True))

    with pytest.raises(ProducerBroken):
        await batch
    assert [seq for seq, _, _ in database.notes] == [1]


async def test_told_to_stop_it_finishes_the_batch_in_hand(client: FakeClient, producer: Producer) -> None:
    database, stop = OutboxRows((b"a", b"a1")), asyncio.Event()
    running = asyncio.create_task(Relay(database, producer).run(lock(), stop=stop))
    await until_sent(client, b"a1")
    stop.set()
    client.answer()
    await asyncio.wait_for(running, 10)

    assert [seq for seq, _, _ in database.notes] == [1]


async def test_a_wakeup_ends_the_pause(client: FakeClient, producer: Producer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHORTEST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS"):
        monkeypatch.setattr(f"doorbuster.infra.outbox.relay.{name}", 1000)
    database, stop = OutboxRows(), asyncio.Event()
    relay = Relay(database, producer)
    running = asyncio.create_task(relay.run(lock(), stop=stop))
    await asyncio.sleep(0)
    database.rows = OutboxRows((b"a", b"a1")).rows
    relay.wake()
    await until_sent(client, b"a1")
    stop.set()
    client.answer()
    await asyncio.wait_for(running, 10)
