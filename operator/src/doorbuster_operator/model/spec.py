"""What a person wants of a consumer group: the `spec` of a ConsumerScaler.

The CRD in charts/operator says the same to the API server; a test holds the two together.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from doorbuster_operator.model.durations import seconds_of

Seconds = Annotated[float, BeforeValidator(lambda value: seconds_of(value) if isinstance(value, str) else value)]


def _at_most(longest: str) -> Callable[[float], float]:
    def check(seconds: float) -> float:
        # Sums of fractions aren't exact.
        if round(seconds, 6) > seconds_of(longest):
            raise ValueError(f"must be at most {longest}")
        return seconds

    return check


# Of the samples that are read, which are those of five minutes.
WithinHistory = Annotated[Seconds, AfterValidator(_at_most("4m"))]
WithinAnHour = Annotated[Seconds, AfterValidator(_at_most("1h"))]


class Assignor(StrEnum):
    """How a group's partitions are given to its consumers; the names are Kafka's."""

    RANGE = "range"
    ROUND_ROBIN = "roundrobin"
    STICKY = "sticky"
    COOPERATIVE_STICKY = "cooperative-sticky"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class TargetRef(_Section):
    """The workload whose replicas are the group's consumers."""

    kind: Literal["Deployment"] = "Deployment"
    name: str = Field(min_length=1, max_length=253)


class Slo(_Section):
    """What is promised, in seconds.

    Attributes:
        oldest_record_age: no record waits longer than this.
        drain_time: a backlog is worked off within this time.
    """

    oldest_record_age: WithinHistory = Field(default=10.0, gt=0)
    drain_time: Seconds = Field(default=60.0, gt=0)


class Idle(_Section):
    """When a group without work goes to zero replicas; only with `minReplicas: 0`.

    Attributes:
        after: so long nothing arrived and nothing waited, in seconds.
    """

    after: Seconds = Field(default=300.0, gt=0)


class ScaleDown(_Section):
    """When fewer replicas are ordered.

    Attributes:
        window: so long every recommendation was lower, in seconds.
    """

    window: WithinAnHour = Field(default=120.0, gt=0)


class ScalerSpec(_Section):
    """A ConsumerScaler's spec.

    Attributes:
        utilization: share of a consumer's capacity that planned load may take, above 0 and at most 1.
        capacity_hint: records a second and replica, believed until something was measured.
        commit_interval: how long a consumer may hold back the offsets of finished records, in seconds.
        paused: nothing is decided.
        dry_run: everything is decided and reported, and nothing is scaled.
    """

    target_ref: TargetRef
    consumer_group: str = Field(min_length=1, max_length=249)
    topics: tuple[str, ...] = Field(min_length=1, max_length=20)
    assignor: Assignor = Assignor.COOPERATIVE_STICKY
    min_replicas: int = Field(default=1, ge=0)
    max_replicas: int = Field(ge=1)
    slo: Slo = Slo()
    utilization: float = Field(default=0.85, gt=0, le=1)
    capacity_hint: float | None = Field(default=None, gt=0)
    commit_interval: Seconds = Field(default=1.0, gt=0)
    idle: Idle = Idle()
    scale_down: ScaleDown = ScaleDown()
    paused: bool = False
    dry_run: bool = False

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"minReplicas {self.min_replicas} is above maxReplicas {self.max_replicas}")
        return self
