"""What a scaler knows from earlier ticks. What a restart may not forget is in the object's status."""

from dataclasses import dataclass, field

from doorbuster_operator.model.capacity import Capacity
from doorbuster_operator.model.decision_record import DecisionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A number of replicas that the operator ordered.

    Attributes:
        at: in seconds since 1970.
        rate: the arrivals it was ordered for, in records a second.
    """

    at: float
    before: int
    after: int
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignChange:
    """A number of replicas that somebody else ordered, and when it was seen."""

    at: float
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """How many replicas were enough at a time; the highest of a window is what scaling in goes down to."""

    at: float
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalerMemory:
    """A scaler's memory. Times in seconds since 1970.

    Attributes:
        watching_since: since when it watches without a gap or a pause; a window can't be full before.
        expected_replicas: what the target should ask for if nobody else scales it; None when it was never seen.
        last_change: kept in the status.
        foreign: kept in the status; None when its window is over.
        capacity: the last that was measured; kept in the status.
        recommendations: of the scale-in window, oldest first; only those without a later one as high. The last is of
            the last look.
        templates: of the pods, at the last look at which there were some.
        disturbed_at: when a new template or somebody else's number of replicas was seen last, or the first look was
            taken; None before it.
        idle_since: since when nothing arrives and nothing waits; None while something does.
        late_since: since when the oldest record is too old; None while it isn't.
        late_age: the age at `late_since`, in seconds.
        unassigned_since: since when some partition has no consumer; None while all have one.
        records: the last ten decisions that changed something or gave another reason; kept in the status.
    """

    watching_since: float
    expected_replicas: int | None = None
    last_change: Change | None = None
    foreign: ForeignChange | None = None
    capacity: Capacity | None = None
    recommendations: tuple[Recommendation, ...] = ()
    templates: frozenset[str] = frozenset()
    disturbed_at: float | None = None
    idle_since: float | None = None
    late_since: float | None = None
    late_age: float = 0.0
    unassigned_since: float | None = None
    records: tuple[DecisionRecord, ...] = field(default=())
