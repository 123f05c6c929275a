"""Puts the poison producer together: it sends as a foreign sender would, past the outbox, and only where it may."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from doorbuster.bootstrap.ids import id_factory
from doorbuster.contracts.topics import Topic
from doorbuster.infra.faults.poison import PoisonKind, poisoned
from doorbuster.infra.kafka.producer import Producer, SendFailed
from doorbuster.kernel.errors import BrokerUnavailable, DoorbusterError
from doorbuster.kernel.ids import IdFactory
from doorbuster.settings import Settings

# Of oversized ones these are 25 MiB, less than half of what waits in a producer.
MOST_AT_ONCE = 100


class PoisonForbidden(DoorbusterError):
    """The fault isn't switched on in this process' settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """What is to be sent: so many messages of a kind into a topic."""

    topic: Topic
    kind: PoisonKind
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where a message stands; the field names are those of the job's answer."""

    partition: int
    offset: int


async def poison(settings: Settings, dose: Dose) -> list[Sent]:
    """Send the messages and return where they stand, once Kafka has acknowledged all of them.

    Raises:
        PoisonForbidden: it isn't allowed here; nothing was sent.
        BrokerUnavailable: Kafka didn't acknowledge all; some may stand in the topic.
    """
    if not settings.faults.poison:
        raise PoisonForbidden(
            "poison is off here: set faults.enabled=true and faults.poison=true in the release of the applications,"
            " and run this in the pod of its relay"
        )
    producer = Producer.connect(settings.kafka)
    try:
        return [sent for some in _bursts(dose.count) for sent in await asyncio.gather(*_sendings(producer, dose, some))]
    except SendFailed as exc:
        raise BrokerUnavailable(f"{exc}; some of the messages may stand in {dose.topic}") from exc
    finally:
        await producer.close()


def _bursts(count: int) -> Iterator[int]:
    for first in range(0, count, MOST_AT_ONCE):
        yield min(MOST_AT_ONCE, count - first)


def _sendings(producer: Producer, dose: Dose, count: int) -> list[Coroutine[None, None, Sent]]:
    new_id = id_factory()
    return [_send(producer, dose, new_id) for _ in range(count)]


async def _send(producer: Producer, dose: Dose, new_id: IdFactory) -> Sent:
    order_id = new_id()
    value = poisoned(dose.kind, message_id=new_id(), order_id=order_id, now=datetime.now(UTC))
    delivered = await producer.send(dose.topic, key=str(order_id).encode(), value=value)
    return Sent(partition=delivered.partition, offset=delivered.offset)
