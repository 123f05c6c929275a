"""The ports of the operator, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from doorbuster_operator.model.samples import GroupSamples
from doorbuster_operator.model.workload import Workload
from doorbuster_operator.ports import (
    ClusterUnavailable,
    Json,
    MetricsUnavailable,
    Target,
    TargetChanged,
    TargetMissing,
)

NO_SAMPLES = GroupSamples(ends={}, oldest={}, committed={}, members=(), pods={})


@dataclass(slots=True)
class FakeMetrics:
    """Samples by group.

    Attributes:
        problem: why nothing can be read; empty when it can.
    """

    samples: dict[str, GroupSamples] = field(default_factory=dict)
    problem: str = ""

    def group_samples(self, group: str, topics: Sequence[str]) -> GroupSamples:
        del topics
        if self.problem:
            raise MetricsUnavailable(self.problem)
        return self.samples.get(group, NO_SAMPLES)


class PartOfClusterUnavailable(ClusterUnavailable):
    """Adapters tell apart more than the port does."""


@dataclass(slots=True)
class FakeWorkloads:
    """Deployments by name.

    Attributes:
        problem: why nothing can be read or scaled; empty when it can.
        scale_problem: why nothing can be scaled.
        answer_lost: whether a scaling is carried out although it fails.
        scaled: what was ordered, also in vain.
        uids: of those whose uid isn't their name.
    """

    workloads: dict[str, Workload] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    scale_problem: str = ""
    answer_lost: bool = False
    scaled: list[tuple[str, int]] = field(default_factory=list)

    def read(self, name: str) -> Target:
        if self.problem:
            raise PartOfClusterUnavailable(self.problem)
        if name not in self.workloads:
            raise TargetMissing(f"There is no deployment {name} in namespace test.")
        return Target(uid=self.uids.get(name, name), workload=self.workloads[name])

    def scale(self, name: str, replicas: int, *, expected: int) -> None:
        self.scaled.append((name, replicas))
        problem = self.problem or self.scale_problem
        if name not in self.workloads:
            raise TargetMissing(f"There is no deployment {name} in namespace test.")
        if self.workloads[name].replicas != expected:
            raise TargetChanged(f"Deployment {name} asks for another number of replicas.")
        if not problem or self.answer_lost:
            self.workloads[name] = replace(self.workloads[name], replicas=replicas)
        if problem:
            raise ClusterUnavailable(problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedEvent:
    """An Event."""

    name: str
    uid: str
    reason: str
    message: str
    warning: bool


@dataclass(slots=True)
class FakeScalers:
    """Statuses by name of the object.

    Attributes:
        problem: why nothing can be written; empty when it can.
        writes: how often a status was written.
    """

    statuses: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    problem: str = ""
    writes: int = 0
    events: list[PostedEvent] = field(default_factory=list)

    def write_status(self, name: str, status: Mapping[str, Json]) -> None:
        if self.problem:
            raise ClusterUnavailable(self.problem)
        if name not in self.statuses:
            raise ClusterUnavailable(f"There is no scaler {name}.")
        self.statuses[name] = _merged(self.statuses[name], status)
        self.writes += 1

    def post_event(self, name: str, uid: str, *, reason: str, message: str, warning: bool) -> None:
        if not self.problem:
            self.events.append(PostedEvent(name=name, uid=uid, reason=reason, message=message, warning=warning))


def _merged(document: Mapping[str, Json], patch: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the document after a merge patch (RFC 7386)."""
    result = dict(document)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            inner = result.get(name)
            result[name] = _merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            result[name] = value
    return result


@dataclass(slots=True)
class FakeLease:
    """A Lease that several candidates share; `holder` is empty while nobody holds it."""

    holder: str = ""
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class FakeLeadership:
    """One candidate."""

    lease: FakeLease
    identity: str

    def held(self) -> bool:
        if not self.lease.reachable:
            return False
        self.lease.holder = self.lease.holder or self.identity
        return self.lease.holder == self.identity

    def release(self) -> None:
        if self.lease.reachable and self.lease.holder == self.identity:
            self.lease.holder = ""
