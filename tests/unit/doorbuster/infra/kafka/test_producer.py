import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from doorbuster.infra.kafka.producer import ClusterMetadata, Delivered, DeliveryReport, Producer, SendFailed
from doorbuster.kernel.errors import BrokerUnavailable, Overloaded


@dataclass(frozen=True, slots=True)
class Place:
    """Stands for the library's message in a delivery report."""

    number: int

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return self.number


class FakeClient:
    """Acknowledges what it is told to, when it is told to, in the thread that polls."""

    def __init__(self, *, room: int = 1000) -> None:
        self.queued: list[tuple[str, bytes | None, bytes | None]] = []
        self.headers: list[list[tuple[str, str | bytes | None]] | None] = []
        self.partitions: list[int] = []
        self.leaders: dict[str, dict[int, int]] | None = None
        self.refusal: KafkaError | None = None
        self.flushes: list[float] = []
        self.polling_threads: set[int] = set()
        self._room = room
        self._open: deque[tuple[int, DeliveryReport]] = deque()
        self._due: deque[tuple[DeliveryReport, KafkaError | None, int]] = deque()
        self._is_due = threading.Event()
        self._serving = threading.Lock()

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
        if self.refusal is not None:
            raise KafkaException(self.refusal)
        if len(self._open) >= self._room:
            raise BufferError
        assert on_delivery is not None
        self._open.append((len(self.queued), on_delivery))
        self.queued.append((topic, key, value))
        self.headers.append(headers)
        self.partitions.append(partition)

    def list_topics(self, *, timeout: float) -> ClusterMetadata:
        if self.leaders is None:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        topics = {
            name: SimpleNamespace(
                partitions={number: SimpleNamespace(leader=leader) for number, leader in leaders.items()}
            )
            for name, leaders in self.leaders.items()
        }
        return cast("ClusterMetadata", SimpleNamespace(topics=topics))

    def answer(self, count: int = 1, *, error: KafkaError | None = None) -> None:
        for _ in range(count):
            number, report = self._open.popleft()
            self._due.append((report, error, number))
        self._is_due.set()

    def poll(self, timeout: float) -> int:
        self.polling_threads.add(threading.get_ident())
        self._is_due.wait(timeout)
        self._is_due.clear()
        return self._serve()

    def flush(self, timeout: float) -> int:
        self.flushes.append(timeout)
        self._serve()
        return len(self._open)

    def purge(self, *, in_flight: bool = True) -> None:
        self.answer(len(self._open), error=KafkaError(KafkaError._PURGE_QUEUE))

    def _serve(self) -> int:
        served = 0
        # Who flushes returns after all reports, also those that the other thread took.
        with self._serving:
            while self._due:
                report, error, number = self._due.popleft()
                report(error, cast("Message", Place(number)))
                served += 1
        return served


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
async def producer(client: FakeClient) -> AsyncIterator[Producer]:
    producer = Producer(client)
    yield producer
    await producer.close(0.1)


async def start(producer: Producer, count: int = 1) -> list[asyncio.Task[Delivered]]:
    """Send messages, and return when the client has all of them."""
    tasks = [asyncio.create_task(producer.send("t", key=b"k", value=b"%d" % number)) for number in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_a_message_is_delivered_where_kafka_says(client: FakeClient, producer: Producer) -> None:
    (sent,) = await start(producer)
    client.answer()

    assert await sent == Delivered(partition=3, offset=0)


async def test_key_value_and_headers_arrive_unchanged(client: FakeClient, producer: Producer) -> None:
    sent = asyncio.create_task(producer.send("orders", key=b"k", value=b"v", headers=[("traceparent", b"00-1")]))
    await asyncio.sleep(0)
    client.answer()
    await sent

    assert (client.queued, client.headers) == ([("orders", b"k", b"v")], [[("traceparent", b"00-1")]])


async def test_messages_are_queued_in_the_order_of_sending(client: FakeClient, producer: Producer) -> None:
    sent = await start(producer, 100)
    client.answer(100)
    delivered = await asyncio.gather(*sent)

    assert [value for _, _, value in client.queued] == [b"%d" % number for number in range(100)]
    assert [each.offset for each in delivered] == list(range(100))


async def test_a_send_waits_for_its_acknowledgement(client: FakeClient, producer: Producer) -> None:
    first, second = await start(producer, 2)
    client.answer()
    await first

    assert not second.done()
    client.answer()
    await second


async def test_a_burst_of_reports_wakes_the_loop_once(
    client: FakeClient, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, wakeups = asyncio.get_running_loop(), 0
    original = loop.call_soon_threadsafe

    def counting(callback: object, *arguments: object) -> object:
        nonlocal wakeups
        wakeups += 1
        return original(callback, *arguments)  # type: ignore[arg-type]  # what asyncio passes on, unchanged

    sent = await start(producer, 200)
    monkeypatch.setattr(loop, "call_soon_threadsafe", counting)
    # The loop doesn't run while all reports are taken, so that they are one burst.
    client.answer(200)
    assert client.flush(0) == 0
    await asyncio.gather(*sent)

    assert wakeups == 1


async def test_reports_are_served_by_one_thread_that_is_not_the_loops(client: FakeClient, producer: Producer) -> None:
    for _ in range(3):
        (sent,) = await start(producer)
        client.answer()
        await sent

    assert len(client.polling_threads) == 1
    assert threading.get_ident() not in client.polling_threads


async def test_a_message_that_timed_out_may_be_sent_again(client: FakeClient, producer: Producer) -> None:
    (sent,) = await start(producer)
    client.answer(error=KafkaError(KafkaError._MSG_TIMED_OUT))

    with pytest.raises(SendFailed) as failure:
        await sent
    assert (failure.value.cause, failure.value.retriable) == ("_MSG_TIMED_OUT", True)
    assert not producer.broken


async def test_a_message_that_is_too_large_may_not_be_sent_again(client: FakeClient, producer: Producer) -> None:
    client.refusal = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)

    with pytest.raises(SendFailed) as failure:
        await producer.send("t", key=None, value=b"v")
    assert (failure.value.cause, failure.value.retriable) == ("MSG_SIZE_TOO_LARGE", False)


async def test_a_full_queue_is_overload_and_sends_nothing() -> None:
    client = FakeClient(room=1)
    producer = Producer(client)
    (sent,) = await start(producer)

    with pytest.raises(Overloaded):
        await producer.send("t", key=None, value=b"second")
    client.answer()
    await sent
    await producer.close(0.1)
    assert [value for _, _, value in client.queued] == [b"0"]


async def test_a_fatal_error_breaks_the_producer(client: FakeClient, producer: Producer) -> None:
    (sent,) = await start(producer)
    client.answer(error=KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "gap", fatal=True))

    with pytest.raises(SendFailed):
        await sent
    assert producer.broken


async def test_who_stops_waiting_does_not_disturb_the_others(client: FakeClient, producer: Producer) -> None:
    impatient, patient = await start(producer, 2)
    impatient.cancel()
    await asyncio.sleep(0)
    client.answer(2)

    assert await patient == Delivered(partition=3, offset=1)
    assert impatient.cancelled()


async def test_close_waits_for_what_was_sent_and_then_refuses(client: FakeClient) -> None:
    producer = Producer(client)
    (sent,) = await start(producer)
    client.answer()
    await producer.close(7)

    assert await sent == Delivered(partition=3, offset=0)
    assert client.flushes == [7]
    with pytest.raises(Overloaded):
        await producer.send("t", key=None, value=b"late")


async def test_close_fails_what_is_not_acknowledged_in_time(client: FakeClient) -> None:
    producer = Producer(client)
    sent = await start(producer, 3)
    await producer.close(0.05)

    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    assert [str(each) for each in outcomes] == ["Kafka did not acknowledge the message: _PURGE_QUEUE"] * 3


async def test_close_may_be_repeated_and_ends_the_thread(client: FakeClient) -> None:
    producer = Producer(client)
    await producer.close(0)
    await producer.close(0)

    assert "producer-poll" not in {thread.name for thread in threading.enumerate()}


async def test_what_is_dropped_fails(client: FakeClient, producer: Producer) -> None:
    (sent,) = await start(producer)
    producer.drop_unsent()

    with pytest.raises(SendFailed):
        await sent


async def test_it_says_which_partitions_have_a_leader(client: FakeClient, producer: Producer) -> None:
    client.leaders = {"t": {2: 1, 0: 3, 1: -1}, "leaderless": {0: -1}}

    assert await producer.partitions() == {"t": [0, 2], "leaderless": []}


async def test_without_a_broker_nobody_says_which_partitions_there_are(producer: Producer) -> None:
    with pytest.raises(BrokerUnavailable, match="_TRANSPORT"):
        await producer.partitions()


async def test_a_message_goes_to_the_partition_that_is_named(client: FakeClient, producer: Producer) -> None:
    sent = asyncio.create_task(producer.send("t", key=b"k", value=b"v", partition=5))
    await asyncio.sleep(0)
    client.answer()
    await sent

    assert client.partitions == [5]
