"""What a reconciler needs from outside, and how it may fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from doorbuster_operator.model.samples import GroupSamples
from doorbuster_operator.model.workload import Workload

Json = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | bool | None


class OperatorError(Exception):
    """What the operator can't do; the message is for a person."""


class MetricsUnavailable(OperatorError):
    """Prometheus doesn't answer, or not in time, or with an error."""


class ClusterUnavailable(OperatorError):
    """The API server doesn't answer, or not in time, or refuses."""


class TargetMissing(OperatorError):
    """The scaler's target isn't there."""


class TargetChanged(ClusterUnavailable):
    """The target isn't as it was when it was looked at; nothing was set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A scaler's target.

    Attributes:
        uid: of the Deployment; one of the same name that was made later has another.
        workload: as it is.
    """

    uid: str
    workload: Workload


class MetricsSource(Protocol):
    """Where samples are from."""

    def group_samples(self, group: str, topics: Sequence[str]) -> GroupSamples:
        """Return the last five minutes of a consumer group.

        Raises:
            MetricsUnavailable: it isn't known; never an empty answer instead.
        """


class Workloads(Protocol):
    """The scalers' targets, in one namespace."""

    def read(self, name: str) -> Target:
        """Return the Deployment with its pods.

        Raises:
            TargetMissing: there is none of that name.
            ClusterUnavailable: it isn't known.
        """

    def scale(self, name: str, replicas: int, *, expected: int) -> None:
        """Set the number of replicas through the `scale` subresource (P9).

        Args:
            name: of the Deployment.
            replicas: what it should ask for.
            expected: what it asks for until then; another number isn't overwritten.

        Raises:
            TargetMissing: there is none of that name.
            TargetChanged: it doesn't ask for the expected number any more.
            ClusterUnavailable: it may or may not have been set.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalerObject:
    """A ConsumerScaler as a watch last showed it, unchecked.

    Attributes:
        generation: of the spec.
        status: as it was then; empty when it has none.
    """

    name: str
    uid: str
    generation: int
    spec: Mapping[str, Json]
    status: Mapping[str, Json]


class Scalers(Protocol):
    """The ConsumerScaler objects, in one namespace."""

    def write_status(self, name: str, status: Mapping[str, Json]) -> None:
        """Replace the fields of the status.

        Raises:
            ClusterUnavailable: it may or may not have been written.
        """

    def post_event(self, name: str, uid: str, *, reason: str, message: str, warning: bool) -> None:
        """Post an Event about the object; best effort, never raises."""


class Leadership(Protocol):
    """Which of several operators may act."""

    def held(self) -> bool:
        """Renew or take the Lease if it is free; say whether it is ours. An unknown answer is False."""

    def release(self) -> None:
        """Give the Lease back if it is ours, so that the next operator needn't wait; best effort, never raises."""
