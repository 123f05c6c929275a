"""How records come into a group's topics and leave them, computed from samples."""

from collections.abc import Mapping
from dataclasses import dataclass

from doorbuster_operator.model.samples import Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionFlow:
    """One partition.

    Attributes:
        rate: arrivals, in records a second over the stable window (20 s).
        fast_rate: the same over the fast window (10 s).
        committed_rate: commits, in records a second over the stable window.
        lag: records between the committed offset, or the oldest one, and the end.
        backlog: the lag beyond what the commit interval explains, in records.
        age: how long ago the end was where the committed offset is now, in seconds; 0 without lag.
        still_seconds: how long the committed offset hasn't moved although there was lag; 0 when it moves.
    """

    rate: float
    fast_rate: float
    committed_rate: float
    lag: float
    backlog: float
    age: float
    still_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """All partitions of a group's topics.

    Attributes:
        burst: whether the fast rate in total is above the stable one by more than chance explains; then `load` is it.
        members: members of the group, None when not known.
        assigned: how many partitions consumers say they have; None when they don't say.
        rebalanced_at: when an assignment changed last, in seconds since 1970; None when none did within the history.
        seconds: how much history there is.
    """

    partitions: Mapping[Partition, PartitionFlow]
    burst: bool
    members: int | None
    assigned: int | None
    rebalanced_at: float | None
    seconds: float

    @property
    def load(self) -> Mapping[Partition, float]:
        """Arrivals to size for, in records a second: the fast ones in a burst."""
        return {place: each.fast_rate if self.burst else each.rate for place, each in self.partitions.items()}

    @property
    def rate(self) -> float:
        """Arrivals in total, in records a second over the stable window."""
        return sum(each.rate for each in self.partitions.values())

    @property
    def lag(self) -> float:
        """Lag in total, in records."""
        return sum(each.lag for each in self.partitions.values())

    @property
    def backlog(self) -> float:
        """Backlog in total, in records."""
        return sum(each.backlog for each in self.partitions.values())

    @property
    def age(self) -> float:
        """Age of the oldest record that waits, in seconds."""
        return max((each.age for each in self.partitions.values()), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What isn't known, so that nothing may be concluded; in a sentence for a person."""

    why: str
