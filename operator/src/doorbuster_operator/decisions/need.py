"""How many replicas a load needs: the rate model, per partition (docs/adr/0015)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doorbuster_operator.decisions.assignment import heaviest
from doorbuster_operator.model.samples import Partition
from doorbuster_operator.model.spec import Assignor

# Two loads are the same that differ by rounding only.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be carried, and by whom.

    Attributes:
        load: arrivals, in records a second, by partition.
        backlog: what has to be drained besides, in records; empty when it isn't counted.
        utilization: share of a replica's capacity that arrivals may take.
        drain_seconds: in how long the backlog, and what a rebalance makes wait, has to be gone.
        rebalance_seconds: how long nobody works when the number of replicas changes.
        current: replicas that there are; their number costs no rebalance.
    """

    load: Mapping[Partition, float]
    backlog: Mapping[Partition, float]
    utilization: float
    drain_seconds: float
    rebalance_seconds: float
    current: int
    assignor: Assignor

    def heaviest(self, replicas: int) -> float:
        """Return what the most loaded of so many replicas has to do, in records a second."""
        paused = 0.0 if replicas == self.current else self.rebalance_seconds
        demand = {
            place: rate / self.utilization + (self.backlog.get(place, 0.0) + rate * paused) / self.drain_seconds
            for place, rate in self.load.items()
        }
        return heaviest(demand, replicas, self.assignor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The answer.

    Attributes:
        replicas: the fewest that suffice; if none do, the fewest that come as near as can be.
        heaviest: what the most loaded of them has to do, in records a second.
        fits: whether they suffice.
    """

    replicas: int
    heaviest: float
    fits: bool


def needed(question: Question, capacity: float, numbers: Sequence[int]) -> Need:
    """Return the first of some numbers of replicas, in ascending order, that carries what is asked.

    Args:
        question: what is to be carried.
        capacity: of one replica, in records a second.
        numbers: of replicas, those that reduce the heaviest load; never empty.
    """
    loads = {replicas: question.heaviest(replicas) for replicas in numbers}
    limit = capacity * (1 + ROUNDING)
    for replicas, load in loads.items():
        if load <= limit:
            return Need(replicas=replicas, heaviest=load, fits=True)
    lowest = min(loads.values()) * (1 + ROUNDING)
    replicas = next(replicas for replicas, load in loads.items() if load <= lowest)
    return Need(replicas=replicas, heaviest=loads[replicas], fits=False)


def next_step(current: int, numbers: Sequence[int]) -> int:
    """Return the first of the numbers above `current`; `current` when there is none."""
    return next((replicas for replicas in numbers if replicas > current), current)


def partitions_needed(question: Question, capacity: float) -> int:
    """Return how many partitions of equal load would carry the arrivals, one a replica."""
    return math.ceil(sum(question.load.values()) / question.utilization / capacity)
