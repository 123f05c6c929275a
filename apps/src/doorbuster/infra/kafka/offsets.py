"""How far consumer groups have committed (R15)."""

import asyncio
from collections.abc import Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import AdminClient

from doorbuster.infra.kafka.clients import ADMIN_REQUEST_SECONDS
from doorbuster.kernel.errors import BrokerUnavailable

# Above the request's own limit: this one is for a client that doesn't keep it.
_GUARD_SECONDS = ADMIN_REQUEST_SECONDS + 1


class GroupOffsets:
    """Asks Kafka for the committed offsets of consumer groups."""

    def __init__(self, admin: AdminClient) -> None:
        """Use a client that others may use too."""
        self._admin = admin

    async def committed(self, group: str, topic: str) -> Mapping[int, int]:
        """Return the next offset that the group will read, by partition.

        A message at offset n is done when the committed offset is greater than n. A partition of which the group has
        committed nothing is absent; so are all of them for a group or topic that doesn't exist.

        Raises:
            BrokerUnavailable: no answer, or one that says nothing.
        """
        all_topics = await committed_by_group(self._admin, group)
        return {partition: offset for (name, partition), offset in all_topics.items() if name == topic}


async def committed_by_group(admin: AdminClient, group: str) -> Mapping[tuple[str, int], int]:
    """Return all committed offsets of a group by topic and partition, in one request.

    Raises:
        BrokerUnavailable: no answer, or one that says nothing.
    """
    # The client takes a member of an enumeration, which is a string, for an empty name.
    name = str(group)
    try:
        asked = admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(name)], request_timeout=ADMIN_REQUEST_SECONDS
        )
        async with asyncio.timeout(_GUARD_SECONDS):
            answer: ConsumerGroupTopicPartitions = await asyncio.wrap_future(asked[name])
    except (KafkaException, TimeoutError) as exc:
        raise BrokerUnavailable(f"the offsets of {group} are not known: {exc}") from exc
    places = answer.topic_partitions or []
    if any(each.error is not None for each in places):
        raise BrokerUnavailable(f"some offsets of {group} are not known")
    # Where nothing is committed, the offset is a negative number with a meaning of its own.
    return {(each.topic, each.partition): each.offset for each in places if each.offset >= 0}
