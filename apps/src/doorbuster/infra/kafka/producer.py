"""Sends messages to Kafka from asyncio.

The library's plain Producer, one thread that polls it, and a future for each message. Delivery reports are collected in
a deque and settled by one wake-up of the event loop for each burst, not for each message.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as KafkaProducer

from doorbuster.infra.kafka.clients import client_settings
from doorbuster.kernel.errors import BrokerUnavailable, DoorbusterError, Overloaded
from doorbuster.settings import KafkaSettings

# A message that isn't acknowledged after this long has failed; its sender decides what then.
DELIVERY_SECONDS = 10.0
# Messages that wait for their acknowledgement; twenty batches of the relay.
MOST_WAITING = 10_000
MOST_WAITING_KIBIBYTES = 64 * 1024
# poll() returns at once when there is a report; this only bounds how long the thread takes to end.
POLL_SECONDS = 0.2
LINGER_MILLISECONDS = 1
METADATA_SECONDS = 2.0
# The library's own word for it.
KEY_DECIDES = -1

# Sending the same bytes again can't change these; everything else may pass.
_PERMANENT = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.TOPIC_EXCEPTION,
    }
)

Headers = Sequence[tuple[str, bytes]]
DeliveryReport = Callable[[KafkaError | None, Message], None]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Where an acknowledged message stands."""

    partition: int
    offset: int


class SendFailed(DoorbusterError):
    """No acknowledgement came. The message may stand in the topic all the same."""

    def __init__(self, cause: str, *, retriable: bool) -> None:
        """Say why.

        Args:
            cause: the name of Kafka's error.
            retriable: whether the same message may succeed later.
        """
        super().__init__(f"Kafka did not acknowledge the message: {cause}")
        self.cause = cause
        self.retriable = retriable


class _Partition(Protocol):
    leader: int


class _Topic(Protocol):
    partitions: Mapping[int, _Partition]


class ClusterMetadata(Protocol):
    """What the library says of a cluster; a partition without a leader has -1."""

    topics: Mapping[str, _Topic]


class Client(Protocol):
    """What is used of the library's producer; any thread may call it."""

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        *,
        on_delivery: DeliveryReport | None = None,
        headers: list[tuple[str, str | bytes | None]] | None = None,
        partition: int = KEY_DECIDES,
    ) -> None:
        """Queue a message; raises BufferError when the queue is full, KafkaException when it can't be queued."""

    def list_topics(self, *, timeout: float) -> ClusterMetadata:
        """Ask for topics and their partitions; raises KafkaException when no answer comes within so many seconds."""
        ...

    def poll(self, timeout: float) -> int:
        """Serve delivery reports for at most so many seconds."""
        ...

    def flush(self, timeout: float) -> int:
        """Wait for so many seconds until nothing waits; return how many still do."""
        ...

    def purge(self, *, in_flight: bool = True) -> None:
        """Fail everything that waits to be sent, and with `in_flight` also what waits for its acknowledgement."""


class Producer:
    """Sends messages and says where they stand; made, used and closed in one event loop.

    Messages of one partition reach it in the order of sending while none of them fails (idempotence). After a failure a
    later one may overtake: who needs the order waits for the acknowledgement before the next message.
    """

    def __init__(self, client: Client) -> None:
        """Poll the client in a thread until `close`."""
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[Delivered]] = set()
        self._reports: deque[tuple[asyncio.Future[Delivered], Delivered | SendFailed]] = deque()
        self._wakeup_is_due = False
        self._closing = False
        self._broken = False
        self._stop_polling = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="producer-poll", daemon=True)
        self._thread.start()

    @classmethod
    def connect(cls, settings: KafkaSettings, *, delivery_seconds: float = DELIVERY_SECONDS) -> "Producer":
        """Return a producer for the cluster; it connects by itself, also when Kafka is gone at first.

        Args:
            settings: where Kafka is.
            delivery_seconds: a message that isn't acknowledged after this long has failed.
        """
        return cls(KafkaProducer(_producer_settings(settings, delivery_seconds=delivery_seconds)))

    @property
    def broken(self) -> bool:
        """Whether Kafka refused this producer for good; only a new one can send again."""
        return self._broken

    async def partitions(self) -> Mapping[str, Sequence[int]]:
        """Return the numbers of the partitions that have a leader now, by topic, each ascending.

        Raises:
            BrokerUnavailable: no broker answered in time.
        """
        try:
            cluster = await asyncio.to_thread(self._client.list_topics, timeout=METADATA_SECONDS)
        except KafkaException as exc:
            raise BrokerUnavailable(f"no broker said which partitions there are: {exc}") from exc
        return {
            name: sorted(number for number, partition in topic.partitions.items() if partition.leader >= 0)
            for name, topic in cluster.topics.items()
        }

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes,
        headers: Headers = (),
        partition: int | None = None,
    ) -> Delivered:
        """Send one message, and return where it stands when all in-sync replicas have it.

        Cancelling the wait doesn't take the message back.

        Args:
            topic: where to.
            key: decides the partition, unless one is given.
            value: the message.
            headers: go with it.
            partition: of the topic; None leaves it to the key.

        Raises:
            Overloaded: too many messages wait already, or the producer closes; nothing was sent.
            SendFailed: no acknowledgement came in time, or Kafka refused.
        """
        if self._closing:
            raise Overloaded("the producer is closing")
        future: asyncio.Future[Delivered] = self._loop.create_future()
        try:
            self._client.produce(
                topic,
                value,
                key,
                headers=list(headers),
                partition=KEY_DECIDES if partition is None else partition,
                on_delivery=lambda err, msg: self._report(future, err, msg),
            )
        except BufferError as exc:
            raise Overloaded(f"{len(self._waiting)} messages wait for Kafka already") from exc
        except KafkaException as exc:
            raise self._failure(exc.args[0]) from exc
        self._waiting.add(future)
        return await future

    def drop_unsent(self) -> None:
        """Fail all messages that haven't left this process: their senders may no longer send them."""
        self._client.purge(in_flight=False)

    async def close(self, timeout_seconds: float = DELIVERY_SECONDS) -> None:
        """Wait for what was sent, for so many seconds at most, fail the rest, and end the thread; may be repeated."""
        self._closing = True
        self._stop_polling.set()
        await asyncio.to_thread(self._finish, timeout_seconds)
        self._settle()
        for future in self._waiting:
            if not future.done():
                future.set_exception(SendFailed("CLOSED", retriable=True))
        self._waiting.clear()

    def _finish(self, timeout_seconds: float) -> None:
        self._thread.join()
        if left := self._client.flush(timeout_seconds):
            log.warning("messages_unacknowledged_at_close", messages=left)
            self._client.purge()
            self._client.flush(POLL_SECONDS)

    def _poll(self) -> None:
        while not self._stop_polling.is_set():
            self._client.poll(POLL_SECONDS)

    def _report(self, future: asyncio.Future[Delivered], error: KafkaError | None, message: Message) -> None:
        """Take a delivery report, in the thread that polls."""
        self._reports.append((future, self._failure(error) if error is not None else _delivered(message)))
        # `_settle` lowers the flag before it looks into the deque, so no report is left behind.
        if not self._wakeup_is_due:
            self._wakeup_is_due = True
            try:
                self._loop.call_soon_threadsafe(self._settle)
            except RuntimeError:
                # The loop was closed without us: nobody waits any more.
                self._stop_polling.set()

    def _settle(self) -> None:
        self._wakeup_is_due = False
        while self._reports:
            future, outcome = self._reports.popleft()
            self._waiting.discard(future)
            if future.done():
                continue
            if isinstance(outcome, Delivered):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)

    def _failure(self, error: KafkaError) -> SendFailed:
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001  # the library's own constants
            self._broken = True
        return SendFailed(error.name(), retriable=error.code() not in _PERMANENT)


def _delivered(message: Message) -> Delivered | SendFailed:
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        return SendFailed("NO_OFFSET", retriable=True)
    return Delivered(partition=partition, offset=offset)


def _producer_settings(settings: KafkaSettings, *, delivery_seconds: float) -> dict[str, object]:
    return {
        **client_settings(settings),
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": LINGER_MILLISECONDS,
        "delivery.timeout.ms": int(delivery_seconds * 1000),
        # A broker that is silent for this long is left; sooner than the message fails.
        "socket.timeout.ms": max(1000, int(delivery_seconds * 500)),
        "request.timeout.ms": max(1000, int(delivery_seconds * 500)),
        "queue.buffering.max.messages": MOST_WAITING,
        "queue.buffering.max.kbytes": MOST_WAITING_KIBIBYTES,
        "topic.metadata.propagation.max.ms": 5_000,
        # As the Java clients do it, so that a key is on the same partition whoever sends.
        "partitioner": "murmur2_random",
    }
