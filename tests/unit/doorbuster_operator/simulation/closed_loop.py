"""The operator in the world: it decides each five seconds, and the world does it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from doorbuster_operator.decisions.scaling import decide
from doorbuster_operator.model.decision import Decision, Observation
from doorbuster_operator.model.decision_record import Reason
from doorbuster_operator.model.memory import ScalerMemory
from doorbuster_operator.model.spec import ScalerSpec, TargetRef
from tests.unit.doorbuster_operator.simulation.prometheus import TOPIC
from tests.unit.doorbuster_operator.simulation.world import EPOCH, SCRAPE_SECONDS, STEP_SECONDS, Shape, World

LATE_SECONDS = 10.0
TICK_SECONDS = 5.0
SPEC = ScalerSpec(
    target_ref=TargetRef(name="apps-consumer-stock"),
    consumer_group="stock-service-group",
    topics=(TOPIC,),
    max_replicas=12,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One decision; `at` in seconds since the world began."""

    at: float
    replicas: int
    decision: Decision


@dataclass(slots=True)
class Run:
    """A world with an operator, and what became of them.

    Attributes:
        late_seconds: how long the oldest record was older than ten seconds.
        worst_age: of any record that wasn't worked off, in seconds.
    """

    world: World
    spec: ScalerSpec
    memory: ScalerMemory = field(default_factory=lambda: ScalerMemory(watching_since=EPOCH))
    ticks: list[Tick] = field(default_factory=list)
    late_seconds: float = 0.0
    replica_seconds: float = 0.0
    worst_age: float = 0.0
    prometheus_answers: bool = True

    @property
    def changes(self) -> Sequence[tuple[float, int, int]]:
        """Return the operator's changes as (seconds, before, after)."""
        return [(tick.at, tick.replicas, tick.decision.record.after) for tick in self.ticks if tick.decision.scales]

    @property
    def reversals(self) -> int:
        """Return how often a change went against the one before."""
        directions = [after > before for _, before, after in self.changes]
        return sum(earlier != later for earlier, later in pairwise(directions))

    @property
    def reasons(self) -> Mapping[Reason, int]:
        return Counter(tick.decision.record.reason for tick in self.ticks)

    def between(self, begin: float, end: float) -> Sequence[Tick]:
        return [tick for tick in self.ticks if begin <= tick.at < end]

    def restart(self) -> None:
        """Forget what isn't kept in the status."""
        self.memory = ScalerMemory(
            watching_since=EPOCH + self.world.now,
            expected_replicas=self.memory.expected_replicas,
            last_change=self.memory.last_change,
            foreign=self.memory.foreign,
            capacity=self.memory.capacity,
            records=self.memory.records,
        )

    def go_on(self, seconds: float) -> None:
        until = self.world.now + seconds
        while self.world.now < until:
            self.world.step()
            age = self.world.oldest_age()
            self.late_seconds += STEP_SECONDS * (age > LATE_SECONDS)
            self.worst_age = max(self.worst_age, age)
            self.replica_seconds += STEP_SECONDS * self.world.replicas
            if self.world.now % TICK_SECONDS == 0:
                self._tick()

    def observe(self) -> Observation:
        return Observation(
            now=EPOCH + self.world.now,
            spec=self.spec,
            samples=self.world.samples() if self.prometheus_answers else None,
            workload=self.world.workload(),
            memory=self.memory,
            scrape_seconds=SCRAPE_SECONDS,
        )

    def _tick(self) -> None:
        decision = decide(self.observe())
        self.ticks.append(Tick(at=self.world.now, replicas=self.world.replicas, decision=decision))
        if self.spec.dry_run:
            kept = (self.memory.expected_replicas, self.memory.last_change)
            self.memory = replace(decision.memory, expected_replicas=kept[0], last_change=kept[1])
            return
        self.memory = decision.memory
        if decision.scales:
            self.world.scale(decision.record.after)


Event = tuple[float, Callable[[Run], None]]


def run(shape: Shape, seconds: float, *, spec: ScalerSpec = SPEC, events: Sequence[Event] = ()) -> Run:
    """Run a world for so long; events happen at their time, in seconds since it began."""
    running = Run(world=World(shape), spec=spec)
    for at, happen in sorted(events, key=lambda event: event[0]):
        running.go_on(at - running.world.now)
        happen(running)
    running.go_on(seconds - running.world.now)
    return running
