"""The relay: sends what waits in the outbox to Kafka, and notes where it stands there (R9).

How a key's messages are sent in their order in spite of failures: each only after the one before it was acknowledged,
and nothing of a key after its first failure. An idempotent producer alone isn't enough: after a
message has timed out, a later one may get through. It costs a round trip for each further message of a key in a batch,
and most keys have one. Different keys are sent at once, and different topics, which have no order between them (R14).

A message may be sent again: when the relay dies between the acknowledgement and the note, when an acknowledgement is
lost, and when two relays overlap for a moment. Readers remember ids.

All messages of a batch for one topic go to one partition, the next batch's to the next (ADR 0019): the client sends a
request for each partition, each is replicated and fetched by itself, and that, not the bytes, is what a message costs.
So a key's messages of several batches are read in any order. Nothing here needs another (R14).
"""

import asyncio
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import Integer, Row, bindparam, func, select, text

from doorbuster.infra.kafka.producer import Headers, Producer, SendFailed
from doorbuster.infra.mysql.database_lock import HeldLock, Readings
from doorbuster.infra.mysql.tables import outbox
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.infra.outbox.partition_turns import PartitionTurns
from doorbuster.infra.telemetry import OUTBOX_FAILURES, OUTBOX_PUBLISHED
from doorbuster.kernel.errors import BrokerUnavailable, DoorbusterError, Overloaded
from doorbuster.kernel.pausing import pause_until

BATCH_ROWS = 500
# A batch ends with the message that reaches so many bytes. The note about it logs each row twice, with its payload, and
# the group takes 20 MiB at once (R13); usual messages have half a KiB, and dead letters up to 256.
BATCH_BYTES = 4 * 1024 * 1024
SHORTEST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.2
# After a batch so many times as long as it took is spent on letting the next one form: each costs a commit and requests
# to the brokers, nearly whatever is in it. A busy machine has fewer and greater batches, and an idle one answers soon.
REST = 2.0
SHORTEST_REST_SECONDS = 0.015
LONGEST_REST_SECONDS = 0.25
# Partitions that were made meanwhile get their turn.
LEARN_EVERY_SECONDS = 30.0
# After a message that wasn't acknowledged its partition may have no leader, and after a question without an answer
# nothing is known.
LEARN_AGAIN_SECONDS = 2.0

_oldest = (
    select(outbox.c.seq, func.length(outbox.c.payload).label("size"))
    .where(outbox.c.published_at.is_(None))
    .order_by(outbox.c.seq)
    .limit(bindparam("most_rows", type_=Integer))
    .subquery("oldest")
)
_counted = select(
    _oldest.c.seq, (func.sum(_oldest.c.size).over(order_by=_oldest.c.seq) - _oldest.c.size).label("ahead")
).subquery("counted")
_WAITING = (
    select(outbox.c.seq, outbox.c.topic, outbox.c.message_key, outbox.c.payload, outbox.c.headers)
    .join_from(_counted, outbox, outbox.c.seq == _counted.c.seq)
    .where(_counted.c.ahead < BATCH_BYTES)
    .order_by(outbox.c.seq)
)
# One statement for a batch, with one parameter; rows that another relay has noted meanwhile keep their note.
_NOTE = text(
    "UPDATE JSON_TABLE(:acknowledged, '$[*]' COLUMNS ("
    " seq BIGINT PATH '$[0]', kafka_partition INT PATH '$[1]', kafka_offset BIGINT PATH '$[2]')) AS acknowledged"
    " STRAIGHT_JOIN outbox ON outbox.seq = acknowledged.seq"
    " SET outbox.published_at = UTC_TIMESTAMP(6),"
    " outbox.kafka_partition = acknowledged.kafka_partition, outbox.kafka_offset = acknowledged.kafka_offset"
    " WHERE outbox.published_at IS NULL"
)

log = structlog.get_logger()


class ProducerBroken(DoorbusterError):
    """Kafka refused this producer for good: the process has to start again."""


class OutboxDatabase(Transactions, Readings, Protocol):
    """What the relay needs of the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that waits in the outbox."""

    seq: int
    topic: str
    key: bytes
    value: bytes
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A message that Kafka has, and where."""

    seq: int
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What became of a batch: how many waited, and how many of them Kafka acknowledged."""

    waiting: int
    acknowledged: int


class Relay:
    """Publishes batches, one after the other; who runs it holds the relay's lock."""

    def __init__(self, database: OutboxDatabase, producer: Producer, *, batch_rows: int = BATCH_ROWS) -> None:
        """Use what others own.

        Args:
            database: where the outbox is.
            producer: sends the messages; a message of its that fails is sent again later.
            batch_rows: most messages in one batch.
        """
        self._database = database
        self._producer = producer
        self._batch_rows = batch_rows
        self._wakeup = asyncio.Event()
        self._turns = PartitionTurns()
        self._learn_at = -math.inf

    def wake(self) -> None:
        """Look into the outbox now instead of after the pause."""
        self._wakeup.set()

    async def run(self, lock: HeldLock, *, stop: asyncio.Event) -> None:
        """Publish batch after batch until told to stop; the batch in hand is finished.

        Raises:
            LockLost: another relay may have begun.
            NotAccepted: the database went away; what was acknowledged meanwhile will be sent again.
            ProducerBroken: only a new producer can send.
        """
        pause = SHORTEST_PAUSE_SECONDS
        try:
            while not stop.is_set():
                self._wakeup.clear()
                begun = asyncio.get_running_loop().time()
                published = await self.publish_batch(lock)
                if published.acknowledged:
                    pause = SHORTEST_PAUSE_SECONDS
                    await self._gather(published, begun)
                    continue
                await pause_until(self._wakeup, at_most_seconds=pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        except BaseException:
            # The next relay may have begun: what still waits in this producer is no longer ours to send.
            self._producer.drop_unsent()
            raise

    async def publish_batch(self, lock: HeldLock) -> Published:
        """Send the oldest messages that wait, note those that were acknowledged; see `run` for what it raises."""
        waiting = await self._load()
        if not waiting:
            return Published(waiting=0, acknowledged=0)
        await self._learn_partitions()
        await lock.confirm()
        acknowledged = await self._send(waiting)
        if acknowledged:
            await self._note(acknowledged)
        if self._producer.broken:
            raise ProducerBroken("Kafka refused the producer for good; a new process is needed")
        return Published(waiting=len(waiting), acknowledged=len(acknowledged))

    async def _load(self) -> Sequence[Waiting]:
        async with self._database.reading() as connection:
            rows = await connection.execute(_WAITING, {"most_rows": self._batch_rows})
            return [_waiting(row) for row in rows]

    async def _send(self, waiting: Iterable[Waiting]) -> Sequence[Acknowledged]:
        by_key: dict[tuple[str, bytes], list[Waiting]] = {}
        for message in waiting:
            by_key.setdefault((message.topic, message.key), []).append(message)
        turns = self._turns.take(topic for topic, _ in by_key)
        # The producer gives each message a bounded time, and a chain ends with its first failure.
        chains = await asyncio.gather(
            *(self._send_in_order(messages, turns.get(topic)) for (topic, _), messages in by_key.items())
        )
        return [acknowledged for chain in chains for acknowledged in chain]

    async def _send_in_order(self, messages: Iterable[Waiting], partition: int | None) -> Sequence[Acknowledged]:
        """Send the messages of one key, each after the acknowledgement of the one before, up to the first failure."""
        acknowledged: list[Acknowledged] = []
        for message in messages:
            try:
                delivered = await self._producer.send(
                    message.topic,
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                    partition=partition,
                )
            except (SendFailed, Overloaded) as exc:
                _report_failure(message, exc)
                self._learn_within(LEARN_AGAIN_SECONDS)
                break
            OUTBOX_PUBLISHED.labels(message.topic).inc()
            acknowledged.append(Acknowledged(seq=message.seq, partition=delivered.partition, offset=delivered.offset))
        return acknowledged

    async def _learn_partitions(self) -> None:
        """Ask which partitions there are, now and then; without an answer it stays as it was."""
        now = asyncio.get_running_loop().time()
        if now < self._learn_at:
            return
        self._learn_at = now + LEARN_EVERY_SECONDS
        try:
            self._turns.learn(await self._producer.partitions())
        except BrokerUnavailable as exc:
            log.warning("partitions_unknown", reason=str(exc))
            self._learn_within(LEARN_AGAIN_SECONDS)

    def _learn_within(self, seconds: float) -> None:
        self._learn_at = min(self._learn_at, asyncio.get_running_loop().time() + seconds)

    async def _note(self, acknowledged: Iterable[Acknowledged]) -> None:
        # Ascending, as everybody locks (R8).
        rows = sorted((each.seq, each.partition, each.offset) for each in acknowledged)
        async with self._database.transaction() as connection:
            await connection.execute(_NOTE, {"acknowledged": json.dumps(rows)})

    async def _gather(self, published: Published, begun: float) -> None:
        """Let the next batch form, unless it is full already."""
        if published.waiting < self._batch_rows:
            took = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(min(max(REST * took, SHORTEST_REST_SECONDS), LONGEST_REST_SECONDS))


def _waiting(row: Row[int, str, bytes, bytes, dict[str, str] | None]) -> Waiting:
    headers = [(name, value.encode()) for name, value in (row.headers or {}).items()]
    return Waiting(seq=row.seq, topic=row.topic, key=bytes(row.message_key), value=bytes(row.payload), headers=headers)


def _report_failure(message: Waiting, failure: SendFailed | Overloaded) -> None:
    OUTBOX_FAILURES.labels(message.topic).inc()
    if isinstance(failure, SendFailed) and not failure.retriable:
        # It stands in front of its key until a person has looked; the age of the oldest message fires an alert.
        log.error("outbox_message_refused", seq=message.seq, topic=message.topic, cause=failure.cause)
