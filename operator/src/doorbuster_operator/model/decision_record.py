"""A decision with its reason and numbers: what a person reads in the status, the Event and the log."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why the number of replicas is what it is."""

    STEADY = "Steady"
    """The replicas are as many as needed."""
    SCALE_OUT = "ScaleOut"
    """More are needed."""
    SCALE_IN = "ScaleIn"
    """Fewer were enough for the whole window."""
    SCALE_IN_WINDOW = "ScaleInWindow"
    """Fewer would be enough; the window isn't over."""
    ACTIVATE = "Activate"
    """There was none, and there is work."""
    IDLE = "Idle"
    """No work for a long time: none is needed."""
    ALREADY_ORDERED = "AlreadyOrdered"
    """More are needed, and what was ordered for this load is still starting."""
    STEP_BY_STEP = "StepByStep"
    """Records wait too long and the capacity isn't known: one step more."""
    MODEL_WRONG = "ModelWrong"
    """Records wait too long although the model says that the replicas are enough: one step more."""
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    """Something needed isn't known: hold."""
    REBALANCING = "Rebalancing"
    """Partitions have no consumer at this moment: hold."""
    FOREIGN_SCALE = "ForeignScale"
    """Somebody else scaled the target: theirs holds for a window."""
    OUT_OF_BOUNDS = "OutOfBounds"
    """The replicas are outside of the spec's bounds: into them."""
    PAUSED = "Paused"
    """The spec says so."""


class Condition(StrEnum):
    """What else is true of a scaler; each is shown as True or False."""

    READY = "Ready"
    """It knows what it needs and decides."""
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    """Something needed isn't known; nothing is concluded from that."""
    FOREIGN_SCALE = "ForeignScale"
    """Somebody else scaled the target, and their number holds for now."""
    AT_MAXIMUM = "AtMaximum"
    """More replicas are needed than `maxReplicas` allows."""
    PARTITION_BOUND = "PartitionBound"
    """No number of replicas suffices: more partitions are needed."""
    HOT_PARTITION = "HotPartition"
    """One partition alone is more than a replica can do."""
    STILL_PARTITION = "StillPartition"
    """A partition's committed offset doesn't move while others do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What a decision was computed from.

    Attributes:
        rate: arrivals, in records a second.
        lag: in records.
        backlog: the lag beyond what the commit interval explains, in records.
        age: of the oldest record that waits, in seconds.
        capacity: of one replica, in records a second; None when not known.
        capacity_source: where that is from; empty when not known.
        heaviest: what the most loaded replica has to do with `needed` replicas, in records a second; None without a
            capacity.
        partitions: of the group's topics.
        replicas: what the target asked for.
        ready: replicas that were ready.
        needed: what the model asks for, before windows and bounds.
        keda: what KEDA's Kafka scaler with its default threshold of 10 records would ask for.
    """

    rate: float
    lag: float
    backlog: float
    age: float
    capacity: float | None
    capacity_source: str
    heaviest: float | None
    partitions: int
    replicas: int
    ready: int
    needed: int
    keda: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """A decision as it is kept.

    Attributes:
        at: in seconds since 1970.
        before: replicas that the target asked for.
        after: replicas that it should ask for.
        message: the arithmetic in a sentence.
        numbers: None when something needed wasn't known.
    """

    at: float
    before: int
    after: int
    reason: Reason
    message: str
    numbers: Numbers | None
