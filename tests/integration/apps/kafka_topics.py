"""Topics of a test's own, and records in them."""

from collections.abc import Sequence

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from doorbuster.settings import KafkaSettings
from tests.integration.polling import seconds_until

ANSWER_SECONDS = 40


def make_topic(kafka: KafkaSettings, topic: str, *, partitions: int) -> None:
    """Return when every partition of the new topic has a leader."""
    admin = _admin(kafka)
    admin.create_topics([NewTopic(topic, partitions)])[topic].result(timeout=ANSWER_SECONDS)

    def has_leaders() -> bool:
        described = admin.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic].partitions
        return len(described) == partitions and all(each.leader >= 0 for each in described.values())

    seconds_until(has_leaders, within_seconds=30, what=f"leaders of {topic}")


def delete_topic(kafka: KafkaSettings, topic: str) -> None:
    """Delete a topic that is there."""
    # In a variable, or the client is gone before the answer comes.
    admin = _admin(kafka)
    admin.delete_topics([topic])[topic].result(timeout=ANSWER_SECONDS)


def produce(kafka: KafkaSettings, topic: str, records: Sequence[tuple[int, bytes]]) -> None:
    """Return when all records, each with the number of its partition, are acknowledged."""
    producer = Producer({"bootstrap.servers": kafka.servers, "log_level": 0, "queue.buffering.max.messages": 1_000_000})
    for number, value in records:
        producer.produce(topic, value, partition=number)
        producer.poll(0)
    assert producer.flush(ANSWER_SECONDS) == 0


def _admin(kafka: KafkaSettings) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka.servers, "log_level": 0})
