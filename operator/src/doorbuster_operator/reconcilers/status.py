"""The `status` of a ConsumerScaler: the only place that says which fields there are, and in which form.

The CRD in charts/operator says the same to the API server, which would drop what it doesn't know. All names are
camelCase in JSON; `Status.model_json_schema()` prints the whole list:

* times: RFC 3339 in whole seconds, `2026-11-25T22:10:05Z`;
* durations: as in the spec, in seconds with at most one decimal, `4s` or `4.2s`;
* rates and capacities: records a second, three significant digits;
* `reason`: a word in CamelCase. Those of decisions are a closed set (`Reason`), the status's own has `Trouble` besides.

A field that isn't known is null in what is sent, which makes a merge patch remove it; inside of lists, which a merge
patch replaces as a whole, it is left out.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from doorbuster_operator.model.capacity import CapacitySource
from doorbuster_operator.model.decision_record import Reason
from doorbuster_operator.model.durations import seconds_of
from doorbuster_operator.ports import Json

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# With more digits a status would be another one each tick.
SIGNIFICANT_DIGITS = 3


class Trouble(StrEnum):
    """Why nothing was decided; the status's `reason` then."""

    INVALID_SPEC = "InvalidSpec"
    TARGET_MISSING = "TargetMissing"
    TARGET_SHARED = "TargetShared"
    CLUSTER_UNAVAILABLE = "ClusterUnavailable"


def time_text(at: float) -> str:
    """Return a time in seconds since 1970 as RFC 3339, rounded down: never in the future."""
    return datetime.fromtimestamp(math.floor(at), UTC).strftime(TIME_FORMAT)


def _time_of(value: object) -> object:
    if isinstance(value, str):
        value = datetime.fromisoformat(value).timestamp()
    return math.floor(value) if isinstance(value, float) else value


def duration_text(seconds: float) -> str:
    """Return a duration with at most one decimal, like `4s` or `4.2s`."""
    return f"{round(seconds, 1):g}s" if seconds < 1_000 else f"{round(seconds)}s"


def _duration_of(value: object) -> object:
    if isinstance(value, str):
        return seconds_of(value)
    return seconds_of(duration_text(value)) if isinstance(value, float) else value


def _figure_of(value: object) -> object:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value


Time = Annotated[float, BeforeValidator(_time_of), PlainSerializer(time_text)]
Duration = Annotated[float, BeforeValidator(_duration_of), PlainSerializer(duration_text)]
Figure = Annotated[float, BeforeValidator(_figure_of)]


class _Part(BaseModel):
    # A later version of the operator may have written fields that this one doesn't know.
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True)


class CapacityStatus(_Part):
    """The capacity of one replica; `measured_at` and `pod_template` only for one that was measured."""

    records_per_second: Figure
    source: CapacitySource
    measured_at: Time | None = None
    pod_template: str | None = None


class ChangeStatus(_Part):
    """The last number of replicas that the operator ordered, and the arrivals that it was ordered for."""

    at: Time
    before: int
    after: int
    arrival_rate: Figure


class ForeignChangeStatus(_Part):
    """The number of replicas that somebody else ordered; only while it holds."""

    at: Time
    replicas: int


class NumbersStatus(_Part):
    """What a decision was computed from; what each is: `model.decision_record.Numbers`."""

    arrival_rate: Figure
    lag: int
    backlog: int
    oldest_record_age: Duration
    capacity: Figure | None = None
    capacity_source: str = ""
    heaviest_load: Figure | None = None
    partitions: int
    replicas: int
    ready_replicas: int
    needed_replicas: int
    keda_replicas: int


class DecisionStatus(_Part):
    """One of the last ten decisions; `numbers` are missing when something needed wasn't known."""

    at: Time
    before: int
    after: int
    reason: Reason
    message: str
    numbers: NumbersStatus | None = None


class ConditionStatus(_Part):
    """A condition in the shape that Kubernetes gives to all of them."""

    type: str
    status: Literal["True", "False"]
    reason: str
    message: str
    last_transition_time: Time
    observed_generation: int


class Status(_Part):
    """The status.

    Attributes:
        observed_generation: of the spec that this was decided on.
        replicas: what the target asks for.
        ready_replicas: those of the target that are ready.
        desired_replicas: what the target should ask for; in a dry run, what it would.
        needed_replicas: what the model asks for, before windows and bounds.
        expected_replicas: what the target asks for unless somebody else scales it; for the operator's restart.
        reason: why the replicas are as many as they are; `Reason` or `Trouble`.
        message: the arithmetic in a sentence.
        target_uid: of the target that all this is about; one that was made later has another.
        lag: in records.
        arrival_rate: in records a second.
    """

    observed_generation: int | None = None
    replicas: int | None = None
    ready_replicas: int | None = None
    desired_replicas: int | None = None
    needed_replicas: int | None = None
    expected_replicas: int | None = None
    reason: str | None = None
    message: str | None = None
    target_uid: str | None = None
    lag: int | None = None
    oldest_record_age: Duration | None = None
    arrival_rate: Figure | None = None
    capacity: CapacityStatus | None = None
    last_change: ChangeStatus | None = None
    foreign_change: ForeignChangeStatus | None = None
    conditions: tuple[ConditionStatus, ...] = ()
    decisions: tuple[DecisionStatus, ...] = ()


_IN_LISTS = ("conditions", "decisions")


def status_json(status: Status) -> Mapping[str, Json]:
    """Return the status as a merge patch sends it: all fields, those that aren't known as null."""
    document: dict[str, Json] = status.model_dump(mode="json", by_alias=True)
    lists: dict[str, Json] = status.model_dump(mode="json", by_alias=True, include={*_IN_LISTS}, exclude_none=True)
    return document | lists


def read_status(document: Mapping[str, Json]) -> Status:
    """Return the status that an object has.

    Raises:
        ValueError: it isn't one that the operator wrote.
    """
    return Status.model_validate(document)
