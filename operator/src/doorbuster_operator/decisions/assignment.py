"""What a group's assignor does with partitions, as far as sizing depends on it.

The sticky assignors balance counts, not load, and where a partition lies depends on the group's history. They are taken
to deal partitions out in order, as they do with a new group.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from doorbuster_operator.model.samples import Partition
from doorbuster_operator.model.spec import Assignor


def usable_replicas(partitions: Iterable[Partition], assignor: Assignor) -> int:
    """Return how many replicas can have a partition; more would have none. At least 1.

    Range begins with the same consumer in each topic, so its largest topic counts; the others deal all topics out.
    """
    return max(1, *_counts(partitions, assignor))


def steps(partitions: Iterable[Partition], assignor: Assignor, *, most: int) -> tuple[int, ...]:
    """Return the numbers of replicas, up to `most`, that take partitions from the one that has the most of them.

    Twelve partitions make 1, 2, 3, 4, 6, 12: the fifth replica leaves somebody with three, as the fourth did.
    """
    counts = _counts(partitions, assignor)
    return tuple(_first_of_each(counts, max(1, min(most, max(counts)))))


def heaviest(demand: Mapping[Partition, float], replicas: int, assignor: Assignor) -> float:
    """Return what the most loaded of so many replicas gets, in the demand's unit."""
    if not demand:
        return 0.0
    place = _place_by_range if assignor is Assignor.RANGE else _place_by_dealing
    loads = [0.0] * replicas
    for partition, replica in place(sorted(demand), replicas):
        loads[replica] += demand[partition]
    return max(loads)


def _counts(partitions: Iterable[Partition], assignor: Assignor) -> tuple[int, ...]:
    """Return how many partitions are dealt out at once: topic by topic, or all."""
    topics = Counter(partition.topic for partition in partitions)
    return tuple(topics.values()) or (0,) if assignor is Assignor.RANGE else (topics.total(),)


def _first_of_each(counts: tuple[int, ...], highest: int) -> Iterator[int]:
    shares: tuple[int, ...] = ()
    for replicas in range(1, highest + 1):
        previous, shares = shares, tuple(math.ceil(count / replicas) for count in counts)
        if shares != previous:
            yield replicas


def _place_by_dealing(partitions: list[Partition], replicas: int) -> Iterator[tuple[Partition, int]]:
    for turn, partition in enumerate(partitions):
        yield partition, turn % replicas


def _place_by_range(partitions: list[Partition], replicas: int) -> Iterator[tuple[Partition, int]]:
    """Give each topic out in runs; the first replicas get the longer ones, in every topic."""
    topics = Counter(partition.topic for partition in partitions)
    turns: Counter[str] = Counter()
    for partition in partitions:
        share, longer = divmod(topics[partition.topic], replicas)
        turn = turns[partition.topic]
        turns[partition.topic] += 1
        in_longer = longer * (share + 1)
        replica = turn // (share + 1) if turn < in_longer else longer + (turn - in_longer) // share
        yield partition, replica
