"""How far consumer groups have committed (R15)."""

from collections.abc import Mapping

from doorbuster.infra.kafka.groups import ConsumerGroups


class GroupOffsets:
    """Asks Kafka for the committed offsets of consumer groups."""

    def __init__(self, groups: ConsumerGroups) -> None:
        """Use a client that others may use too."""
        self._groups = groups

    async def committed(self, group: str, topic: str) -> Mapping[int, int]:
        """Return the next offset that the group will read, by partition.

        A message at offset n is done when the committed offset is greater than n. A partition of which the group has
        committed nothing is absent; so are all of them for a group or topic that doesn't exist.

        Raises:
            BrokerUnavailable: no answer, or one that says nothing.
        """
        all_topics = await self._groups.committed(group)
        return {partition: offset for (name, partition), offset in all_topics.items() if name == topic}
