"""Everything that the rules look at, computed once from an observation."""

from dataclasses import dataclass

from doorbuster_operator.decisions.capacity import best_capacity, measure_work
from doorbuster_operator.decisions.settling import is_settling
from doorbuster_operator.decisions.sizing import Sizing, allowed_steps, size
from doorbuster_operator.model.capacity import Capacity, CapacitySource, Work
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.flow import Flow
from doorbuster_operator.model.samples import Partition

# With batches emptier than this, a capacity that is only a lower bound says nothing (P18).
TELLING_FILL = 0.5
# A partition is called still after so long, or after so many commit intervals if those are longer (research, 4.2).
STILL_SECONDS = 60.0
STILL_COMMITS = 6.0
# From here on a partition that doesn't move is no reason to add replicas blindly.
SUSPECT_COMMITS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What an observation comes to.

    Attributes:
        capacity: of one replica; None when not known, and then `sizing` is None.
        settling: a change is still taking effect.
        steps: numbers of replicas worth trying, within the bounds.
        needed: what the model asks for, whatever `maxReplicas` is; what there is when it can't say.
        out: the same within the bounds.
        enough: to how many scaling in may go.
        withheld: growth isn't believed, because the capacity is only a lower bound and batches are far from full.
        moving_age: of the oldest record that waits in a partition that moves, in seconds.
        still: partitions that don't move while others do.
    """

    flow: Flow
    capacity: Capacity | None
    sizing: Sizing | None
    settling: bool
    steps: tuple[int, ...]
    needed: int
    out: int
    enough: int
    withheld: bool
    moving_age: float
    still: tuple[Partition, ...]

    @property
    def works(self) -> bool:
        """Whether anything arrives or waits."""
        return self.flow.lag >= 1 or any(each.rate > 0 or each.fast_rate > 0 for each in self.flow.partitions.values())

    @property
    def load(self) -> float:
        """Arrivals to size for, in records a second."""
        return sum(self.flow.load.values())


def assess(seen: Observation, flow: Flow) -> Assessment:
    """Compute what the rules look at."""
    work = _work(seen)
    capacity = best_capacity(work, seen.spec, seen.memory.capacity, template=seen.workload.template, now=seen.now)
    settling = is_settling(seen)
    sizing = None if capacity is None else size(seen, flow, capacity.records_per_second, settling=settling)
    moving_age = _moving_age(seen, flow)
    withheld = _is_withheld(seen, work, capacity, age=moving_age)
    needed, out, enough = _answers(seen, flow, sizing)
    current = seen.workload.replicas
    return Assessment(
        flow=flow,
        capacity=capacity,
        sizing=sizing,
        settling=settling,
        steps=allowed_steps(seen, flow),
        needed=min(needed, max(1, current)) if withheld else needed,
        out=min(out, max(1, current)) if withheld else out,
        enough=enough,
        withheld=withheld and out > current,
        moving_age=moving_age,
        still=_still(flow, max(STILL_SECONDS, STILL_COMMITS * seen.spec.commit_interval)),
    )


def _work(seen: Observation) -> Work:
    """Return what the consumers of the template that works say; those of another one may have another capacity."""
    alike = [pod for pod in seen.workload.pods if pod.template == seen.workload.template]
    says = seen.samples.pods if seen.samples else {}
    return measure_work(
        {pod.name: says[pod.name] for pod in alike if pod.name in says},
        now=seen.now,
        scrape_seconds=seen.scrape_seconds,
        since=min((pod.created_at for pod in alike), default=seen.now),
    )


def _answers(seen: Observation, flow: Flow, sizing: Sizing | None) -> tuple[int, int, int]:
    """Return replicas needed, needed within the bounds, and enough."""
    if sizing is not None:
        return sizing.wanted.replicas, sizing.out.replicas, max(sizing.out.replicas, sizing.down.replicas)
    # Without a capacity nothing is known but this: no work is work for one.
    replicas = 1 if flow.rate == 0 and flow.lag < 1 else seen.workload.replicas
    return replicas, replicas, replicas


def _is_withheld(seen: Observation, work: Work, capacity: Capacity | None, *, age: float) -> bool:
    """Say whether a need for more replicas is only the small batches' doing (P18)."""
    if capacity is None or capacity.source is CapacitySource.HINT or not work.one_size:
        return False
    full = work.fill is not None and work.fill >= TELLING_FILL
    return not full and age <= seen.spec.slo.oldest_record_age / 2


def _still(flow: Flow, seconds: float) -> tuple[Partition, ...]:
    """Return the partitions that haven't moved for so long, if there are others that do."""
    still = tuple(place for place, each in flow.partitions.items() if each.still_seconds >= seconds)
    moves = any(each.committed_rate > 0 for place, each in flow.partitions.items() if place not in still)
    return still if moves else ()


def _moving_age(seen: Observation, flow: Flow) -> float:
    suspects = _still(flow, SUSPECT_COMMITS * seen.spec.commit_interval + 2 * seen.scrape_seconds)
    return max((each.age for place, each in flow.partitions.items() if place not in suspects), default=0.0)
