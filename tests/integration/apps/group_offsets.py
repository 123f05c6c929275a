"""How far the consumer groups are, and the way back to the beginning of everything."""

from collections.abc import Sequence

from confluent_kafka import OFFSET_INVALID, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from doorbuster.contracts.topics import READ_BY, Group
from doorbuster.settings import KafkaSettings
from tests.integration.polling import seconds_until

ANSWER_SECONDS = 10
# A member that said goodbye is gone at once; the coordinator takes its time to call the group empty.
EMPTY_SECONDS = 30


def forget_offsets(settings: KafkaSettings) -> None:
    """Have all groups, which must have no members, begin at the first record again."""
    admin = AdminClient({"bootstrap.servers": settings.servers, "log_level": 0})
    groups = [group.value for group in READ_BY]

    def forgotten() -> bool:
        for future in admin.delete_consumer_groups(groups, request_timeout=ANSWER_SECONDS).values():
            future.result(timeout=2 * ANSWER_SECONDS)
        return True

    seconds_until(forgotten, within_seconds=EMPTY_SECONDS, what="all groups are empty and forgotten")


def records_ahead(settings: KafkaSettings) -> int:
    """Return how many records all groups together have not finished."""
    return sum(_ahead(settings, group) for group in READ_BY)


def records_kept(settings: KafkaSettings) -> int:
    """Return how many records the groups have to read from the first to the last."""
    return sum(end - begin for group in READ_BY for _, begin, end in _ends(settings, group))


def _ahead(settings: KafkaSettings, group: Group) -> int:
    return sum(
        end - (begin if place.offset == OFFSET_INVALID else place.offset)
        for place, begin, end in _ends(settings, group)
    )


def _ends(settings: KafkaSettings, group: Group) -> Sequence[tuple[TopicPartition, int, int]]:
    """Return each partition with the group's position, and its first and its next offset."""
    asking = Consumer(
        {
            "bootstrap.servers": settings.servers,
            "group.id": group.value,
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    try:
        topics = asking.list_topics(timeout=ANSWER_SECONDS).topics
        places = [TopicPartition(name, number) for name in READ_BY[group] for number in topics[name].partitions]
        return [
            (place, *asking.get_watermark_offsets(place, timeout=ANSWER_SECONDS))
            for place in asking.committed(places, timeout=ANSWER_SECONDS)
        ]
    finally:
        asking.close()
