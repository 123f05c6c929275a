"""Commits of consumer groups that have no members."""

from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition


def commit_for(servers: str, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
    """Commit these offsets, by topic and partition, for a group without members.

    Raises:
        AssertionError: Kafka has not taken all of them.
    """
    nobodys = Consumer({"bootstrap.servers": servers, "group.id": group, "log_level": 0})
    places = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
    answers = nobodys.commit(offsets=places, asynchronous=False)
    nobodys.close()
    assert [answer.error for answer in answers] == [None] * len(places)
