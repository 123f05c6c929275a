"""Which partition a topic's next messages go to: one for a whole batch, in turn (ADR 0019)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Partitions = Mapping[str, Sequence[int]]
"""The numbers of the partitions that have a leader, by topic."""


class PartitionTurns:
    """Goes round the partitions of each topic, each by itself: not every batch has every topic."""

    def __init__(self) -> None:
        """Know of no topic yet."""
        self._partitions: Partitions = {}
        self._taken = Counter[str]()

    def learn(self, partitions: Partitions) -> None:
        """Go round these from now on."""
        self._partitions = partitions

    def take(self, topics: Iterable[str]) -> Mapping[str, int]:
        """Return whose turn it is, for one batch.

        Args:
            topics: those that the batch has messages for.

        Returns:
            The number of a partition for each topic. One that isn't known, or has no leader at all, is missing: then
            the key decides.
        """
        taken: dict[str, int] = {}
        for topic in set(topics):
            if numbers := self._partitions.get(topic):
                taken[topic] = numbers[self._taken[topic] % len(numbers)]
                self._taken[topic] += 1
        return taken
