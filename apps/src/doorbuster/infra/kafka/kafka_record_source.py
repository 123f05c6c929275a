"""A record source on Kafka: the classic group protocol with assignment topic by topic (R10, ADR 0018).

Records are polled one by one. `consume()` costs half a microsecond a record less, but runs the callbacks of a rebalance
between records that it has collected already; then nobody could tell which of them are of an assignment that is over.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from doorbuster.infra.kafka.clients import client_settings
from doorbuster.infra.kafka.positions import committed_positions
from doorbuster.infra.kafka.record_source import CommitFailed, Partition, SourceFailed, SourceListener
from doorbuster.infra.kafka.records import Record
from doorbuster.infra.telemetry import CONSUMER_ERRORS
from doorbuster.settings import KafkaSettings

# A batch that is poison through and through is a thousand transactions; beyond this somebody else takes the partitions.
LONGEST_BATCH_SECONDS = 300
SESSION_SECONDS = 20
# Bounds every single request, and with it the commit that a revocation waits for.
REQUEST_SECONDS = 10
LOG_EVERY_SECONDS = 10.0

log = structlog.get_logger()

Configuration = Mapping[str, object]


def consumer_configuration(settings: KafkaSettings, group: str) -> Configuration:
    """Return librdkafka's settings of a member of the group."""
    return {
        **client_settings(settings),
        "group.id": group,
        "client.id": group,
        "group.protocol": "classic",
        # No group.instance.id: pods of a Deployment have no stable name.
        # The sticky assignor counts partitions of all topics alike: a new member may get only idle ones (ADR 0018).
        "partition.assignment.strategy": "range",
        "session.timeout.ms": SESSION_SECONDS * 1000,
        # By a heartbeat's answer a member learns of a rebalance, during which all of them stand still.
        "heartbeat.interval.ms": 1000,
        "max.poll.interval.ms": LONGEST_BATCH_SECONDS * 1000,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "socket.timeout.ms": REQUEST_SECONDS * 1000,
        "socket.keepalive.enable": True,
        # Four batches wait in memory, 16 MiB at most.
        "queued.min.messages": 2000,
        "queued.max.messages.kbytes": 16 * 1024,
        "max.partition.fetch.bytes": 1024 * 1024,
        "fetch.max.bytes": 8 * 1024 * 1024,
        # While the queue is full; the default of one second would bound a partition to 2,000 records a second.
        "fetch.queue.backoff.ms": 20,
    }


class KafkaRecordSource:
    """One member of a consumer group of Kafka."""

    def __init__(self, configuration: Configuration, *, leaving: Callable[[], bool] = lambda: False) -> None:
        """Make the client; nothing is connected before `subscribe`.

        Args:
            configuration: librdkafka's.
            leaving: whether partitions that are assigned now would be given up at once; asked from `poll` and `close`.
        """
        self._group = str(configuration["group.id"])
        self._consumer = Consumer({**configuration, "error_cb": self._note, "on_commit": self._on_commit})
        self._listener: SourceListener | None = None
        self._paused = False
        self._failed = ""
        self._closing = False
        self._told_to_leave = leaving
        self._unreachable = False
        self._noted_at: dict[str, float] = {}

    def subscribe(self, topics: Sequence[str], listener: SourceListener) -> None:
        """Join the group for these topics; they and Kafka itself may be missing yet."""
        self._listener = listener
        self._consumer.subscribe(
            list(topics),
            on_assign=self._on_assign,
            on_revoke=self._giving_up(listener.revoked),
            on_lost=self._giving_up(listener.lost),
        )

    def poll(self, wait_seconds: float) -> Record | None:
        """Return the next record, or None when none came in time.

        Raises:
            SourceFailed: only a new process helps.
        """
        message = self._consumer.poll(wait_seconds)
        error = None if message is None else message.error()
        if error is not None:
            self._note(error)
        if self._failed:
            raise SourceFailed(self._failed)
        if message is None or error is not None:
            return None
        self._unreachable = False
        return _record(message)

    def pause(self) -> None:
        """Deliver nothing of any partition until `resume`."""
        self._paused = True
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """Deliver again."""
        self._paused = False
        self._consumer.resume(self._consumer.assignment())

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Send the offsets; the listener hears what became of it."""
        try:
            self._consumer.commit(offsets=_with_offsets(offsets), asynchronous=True)
        except KafkaException as exc:
            self._tell_failed(offsets, exc.args[0])

    def commit_and_wait(self, offsets: Mapping[Partition, int]) -> None:
        """Commit the offsets; librdkafka ends each request after REQUEST_SECONDS.

        Raises:
            CommitFailed: not all are committed. With all brokers gone it isn't tried: librdkafka would wait for them.
        """
        if self._unreachable:
            raise CommitFailed("no broker can be reached")
        try:
            answers = self._consumer.commit(offsets=_with_offsets(offsets), asynchronous=False)
        except KafkaException as exc:
            raise CommitFailed(str(exc)) from exc
        failed = [answer for answer in answers if answer.error is not None]
        if failed:
            raise CommitFailed(", ".join(f"{answer.topic}/{answer.partition}: {answer.error}" for answer in failed))

    def close(self) -> None:
        """Give up all partitions and leave the group."""
        self._closing = True
        self._consumer.close()

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        positions = committed_positions(self._consumer, partitions, self._note, give_up=self._leaving)
        if positions is None:
            if not self._leaving():
                self._failed = "nobody says where to begin in the partitions that were assigned"
            return
        self._consumer.assign(positions)
        # Said both ways: whether librdkafka remembers a pause across assignments is no promise of it.
        (self._consumer.pause if self._paused else self._consumer.resume)(partitions)
        if self._listener is not None:
            self._listener.assigned(_partitions(partitions))

    def _leaving(self) -> bool:
        return self._closing or self._told_to_leave()

    def _giving_up(
        self, tell: Callable[[Sequence[Partition]], None]
    ) -> Callable[[Consumer, list[TopicPartition]], None]:
        # Leaving the callback without an unassign makes the client do it.
        return lambda _, partitions: tell(_partitions(partitions))

    def _on_commit(self, error: KafkaError | None, answers: list[TopicPartition]) -> None:
        if self._listener is None:
            return
        self._unreachable = self._unreachable and error is not None
        failed = {_partition(answer): answer.offset for answer in answers if error is not None or answer.error}
        done = {_partition(answer): answer.offset for answer in answers if _partition(answer) not in failed}
        if done:
            self._listener.committed(done)
        if failed:
            self._tell_failed(failed, error or next(answer.error for answer in answers if answer.error))

    def _tell_failed(self, offsets: Mapping[Partition, int], error: KafkaError) -> None:
        if self._listener is not None:
            self._listener.commit_failed(offsets, error.name())

    def _note(self, error: KafkaError) -> None:
        """Let no error pass in silence: count, log, and remember one that nothing can mend."""
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # the client's name for "nothing more here yet"
            return
        CONSUMER_ERRORS.labels(self._group, error.name()).inc()
        self._unreachable = self._unreachable or error.code() == KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001  # its name
        if error.fatal():
            self._failed = str(error)
            log.error("kafka_failed", group=self._group, error=error.name(), reason=error.str())
        elif self._is_due(error.name()):
            log.warning("kafka_error", group=self._group, error=error.name(), reason=error.str())

    def _is_due(self, name: str) -> bool:
        """Say whether an error of this name is to be logged: one broker that is gone makes twenty a second."""
        now = time.monotonic()
        if now - self._noted_at.get(name, -math.inf) < LOG_EVERY_SECONDS:
            return False
        self._noted_at[name] = now
        return True


def _record(message: "Message[bytes, bytes]") -> Record:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise SourceFailed("Kafka's client delivered a record that has no place in a partition")
    return Record(
        topic=topic,
        partition=partition,
        offset=offset,
        key=message.key(),
        value=message.value(),
        timestamp_ms=message.timestamp()[1],
    )


def _partition(place: TopicPartition) -> Partition:
    return Partition(place.topic, place.partition)


def _partitions(places: Sequence[TopicPartition]) -> Sequence[Partition]:
    return [_partition(place) for place in places]


def _with_offsets(offsets: Mapping[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(partition.topic, partition.number, offset) for partition, offset in offsets.items()]
