"""A reconciler between fakes, whose decisions a test writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from doorbuster_operator.model.decision import Decision, Observation
from doorbuster_operator.model.decision_record import Condition, DecisionRecord, Numbers, Reason
from doorbuster_operator.model.memory import Change
from doorbuster_operator.model.workload import Workload
from doorbuster_operator.reconcilers.scaling import ScalingReconciler
from tests.fakes.operator_ports import FakeMetrics, FakeScalers, FakeWorkloads

NAME, TARGET, UID = "stock", "apps-consumer-stock", "0a1b"
START = 1_800_000_000.0
TICK_SECONDS = 5.0
READY: Mapping[Condition, str] = {Condition.READY: "All is known."}
NUMBERS = Numbers(
    rate=61.234, lag=120.0, backlog=60.0, age=2.04, capacity=33.0, capacity_source="Hint", heaviest=20.41,
    partitions=12, replicas=1, ready=1, needed=3, keda=12,
)  # fmt: skip


def spec(**fields: object) -> dict[str, object]:
    return {
        "targetRef": {"kind": "Deployment", "name": TARGET},
        "consumerGroup": "stock-service-group",
        "topics": ["order-created"],
        "maxReplicas": 12,
        **fields,
    }


@dataclass(slots=True, kw_only=True)
class Script:
    """The decision: it wants so many replicas, for that reason; `meanwhile` happens while it is made."""

    wanted: int = 1
    reason: Reason = Reason.STEADY
    conditions: Mapping[Condition, str] = field(default_factory=lambda: READY)
    numbers: Numbers | None = NUMBERS
    seen: list[Observation] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def __call__(self, seen: Observation) -> Decision:
        self.seen.append(seen)
        self.meanwhile()
        record = DecisionRecord(
            at=seen.now, before=seen.workload.replicas, after=self.wanted, reason=self.reason,
            message=f"61.2 records/s need {self.wanted}.", numbers=self.numbers,
        )  # fmt: skip
        memory = replace(seen.memory, expected_replicas=self.wanted)
        last = seen.memory.records[-1] if seen.memory.records else None
        if last is None or (last.reason, last.after) != (record.reason, record.after):
            memory = replace(memory, records=(*memory.records, record)[-10:])
        if record.after != record.before:
            change = Change(at=seen.now, before=record.before, after=record.after, rate=61.234)
            memory = replace(memory, last_change=change)
        return Decision(record=record, conditions=self.conditions, memory=memory)


@dataclass(slots=True, kw_only=True)
class World:
    """Everything around one scaler."""

    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    workloads: FakeWorkloads = field(
        default_factory=lambda: FakeWorkloads({TARGET: Workload(replicas=1, ready=1, pods=())})
    )
    scalers: FakeScalers = field(default_factory=lambda: FakeScalers({NAME: {}}))
    script: Script = field(default_factory=Script)
    spec: dict[str, object] = field(default_factory=spec)
    generation: int = 1
    uid: str = UID
    now: float = START
    reconciler: ScalingReconciler = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget everything that isn't in the cluster."""
        self.reconciler = ScalingReconciler(
            self.metrics, self.workloads, self.scalers, clock=lambda: self.now, choose=self.script
        )

    def tick(self, *, stale_status: Mapping[str, Any] | None = None, rival: str = "") -> None:
        """Look at the scaler, with the status that it has or with an older one."""
        status = self.scalers.statuses[NAME] if stale_status is None else stale_status
        self.reconciler.reconcile(
            {
                "metadata": {"name": NAME, "uid": self.uid, "generation": self.generation},
                "spec": self.spec,  # type: ignore[dict-item]  # a test's own fields
                "status": status,
            },
            rival=rival,
        )
        self.now += TICK_SECONDS

    @property
    def status(self) -> dict[str, Any]:
        """The status as a person reads it."""
        return dict(self.scalers.statuses[NAME])

    @property
    def replicas(self) -> int:
        """What the target asks for."""
        return self.workloads.workloads[TARGET].replicas

    def condition(self, kind: Condition) -> dict[str, Any]:
        """A condition as a person reads it."""
        return next(dict(each) for each in self.status["conditions"] if each["type"] == kind)

    @property
    def events(self) -> list[tuple[str, bool]]:
        """Reason and whether it is a warning, of all Events so far."""
        return [(each.reason, each.warning) for each in self.scalers.events]
