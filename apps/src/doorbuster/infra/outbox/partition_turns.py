"""Which partition a topic's next messages go to: one for a whole batch, in turn (ADR 0019)."""

from collections.abc import Mapping, Sequence

Partitions = Mapping[str, Sequence[int]]
"""The numbers of the partitions that have a leader, by topic."""


class PartitionTurns:
    """Goes round the partitions of each topic.

    A topic that isn't known has no turn: then the key decides.
    """

    def __init__(self) -> None:
        """Know of no topic yet."""
        self._partitions: Partitions = {}
        self._turn = 0

    def learn(self, partitions: Partitions) -> None:
        """Go round these from now on."""
        self._partitions = partitions

    def next_batch(self) -> None:
        """Let it be the next partition's turn, in every topic."""
        self._turn += 1

    def partition(self, topic: str) -> int | None:
        """Return whose turn it is; None when the topic isn't known or has no leader at all."""
        numbers = self._partitions.get(topic, ())
        return numbers[self._turn % len(numbers)] if numbers else None
