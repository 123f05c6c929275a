"""What is seen in one tick, and what is decided on it."""

from collections.abc import Mapping
from dataclasses import dataclass

from doorbuster_operator.model.decision_record import Condition, DecisionRecord
from doorbuster_operator.model.memory import ScalerMemory
from doorbuster_operator.model.samples import GroupSamples
from doorbuster_operator.model.spec import ScalerSpec
from doorbuster_operator.model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything that a decision may depend on.

    Attributes:
        now: in seconds since 1970.
        samples: None when they couldn't be read.
        scrape_seconds: time between two samples of a series; what is older than three of them is missing (P17).
    """

    now: float
    spec: ScalerSpec
    samples: GroupSamples | None
    workload: Workload
    memory: ScalerMemory
    scrape_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, why, and what to remember.

    Attributes:
        record: with the number of replicas that the target should ask for, `record.after`.
        conditions: those that are true, each with a sentence.
        memory: for the next tick, as if the decision will be carried out. In a dry run, and when scaling fails, the
            reconciler keeps `expected_replicas` and `last_change` as they were.
    """

    record: DecisionRecord
    conditions: Mapping[Condition, str]
    memory: ScalerMemory

    @property
    def scales(self) -> bool:
        """Whether the target's number of replicas is to change."""
        return self.record.after != self.record.before
