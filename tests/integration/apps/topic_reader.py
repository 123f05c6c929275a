"""Topics of a test's own, and everything that stands in them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from doorbuster.settings import KafkaSettings

ANSWER_SECONDS = 10


@contextmanager
def own_topic(settings: KafkaSettings, *, partitions: int = 3) -> Iterator[str]:
    """Make a topic that no other test knows; it goes away with the context."""
    name = f"test-{uuid4()}"
    admin = AdminClient({"bootstrap.servers": settings.servers, "log_level": 0})
    admin.create_topics([NewTopic(name, partitions)], request_timeout=20)[name].result(timeout=40)
    try:
        yield name
    finally:
        admin.delete_topics([name], request_timeout=20)[name].result(timeout=40)


Sent = tuple[int, bytes | None, bytes | None]
"""When, in milliseconds, the key and the value."""


def values_by_key(settings: KafkaSettings, topic: str) -> dict[bytes | None, list[bytes | None]]:
    """Return the values of the topic for each key, in the order in which they were sent."""
    found: dict[bytes | None, list[bytes | None]] = {}
    for _, key, value in sorted(_records(settings, topic), key=lambda record: record[0]):
        found.setdefault(key, []).append(value)
    return found


def _records(settings: KafkaSettings, topic: str) -> Sequence[Sent]:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.servers,
            "group.id": "reader-of-tests",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    try:
        numbers = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic].partitions
        return [record for number in sorted(numbers) for record in _partition(consumer, topic, number)]
    finally:
        consumer.close()


def _partition(consumer: Consumer, topic: str, number: int) -> Iterator[Sent]:
    place = TopicPartition(topic, number, 0)
    _, end = consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
    consumer.assign([place])
    position = 0
    while position < end:
        message = consumer.poll(ANSWER_SECONDS)
        assert message is not None, f"{topic} {number} ends at {position} instead of {end}"
        assert message.error() is None, message.error()
        # Where times are equal, a partition's own order stays: sorting is stable.
        yield message.timestamp()[1], message.key(), message.value()
        position = (message.offset() or 0) + 1
