"""The answers of the rate model to one observation: what arrivals need, what draining needs, what would be enough."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from doorbuster_operator.decisions.assignment import steps, usable_replicas
from doorbuster_operator.decisions.chance import cautious, evened
from doorbuster_operator.decisions.flow import FAST_SECONDS, STABLE_SECONDS
from doorbuster_operator.decisions.need import Need, Question, needed, partitions_needed
from doorbuster_operator.decisions.settling import rebalance_seconds
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.flow import Flow
from doorbuster_operator.model.samples import Partition

# Scaling in asks for this much of what scaling out allows: 0.77 for 0.85, so that fewer replicas, once ordered, aren't
# too few by chance (research, 4.2).
HYSTERESIS = 0.77 / 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What the model says with a known capacity.

    Attributes:
        arrivals: for the arrivals alone, whatever `maxReplicas` is.
        wanted: for arrivals and backlog, whatever `maxReplicas` is.
        out: the same with as many replicas as are allowed.
        down: the same with the reserve that scaling in wants.
        partitions: how many of equal load would carry the arrivals; None unless no number of replicas does.
        hot: partitions that are more than one replica can do.
    """

    arrivals: Need
    wanted: Need
    out: Need
    down: Need
    partitions: int | None
    hot: tuple[Partition, ...]


def allowed_steps(seen: Observation, flow: Flow) -> tuple[int, ...]:
    """Return the numbers of replicas worth trying that `maxReplicas` allows."""
    return steps(flow.partitions, seen.spec.assignor, most=seen.spec.max_replicas)


def size(seen: Observation, flow: Flow, capacity: float, *, settling: bool) -> Sizing:
    """Ask the model.

    Args:
        seen: the observation.
        flow: what its samples say.
        capacity: of one replica, in records a second.
        settling: a change is still taking effect, so what waits meanwhile is no reason for another one.
    """
    every = steps(flow.partitions, seen.spec.assignor, most=usable_replicas(flow.partitions, seen.spec.assignor))
    allowed = allowed_steps(seen, flow)
    draining = _question(seen, flow)
    alone = replace(draining, backlog={})
    out = alone if settling else draining
    steady = replace(alone, load=evened(_rates(flow), STABLE_SECONDS))
    reserved = replace(
        draining, load=cautious(steady.load, STABLE_SECONDS), utilization=seen.spec.utilization * HYSTERESIS
    )
    return Sizing(
        arrivals=needed(alone, capacity, every),
        wanted=needed(out, capacity, every),
        out=needed(out, capacity, allowed),
        down=needed(reserved, capacity, allowed),
        partitions=None if needed(steady, capacity, every).fits else partitions_needed(steady, capacity),
        hot=tuple(place for place, rate in steady.load.items() if rate > seen.spec.utilization * capacity),
    )


def _rates(flow: Flow) -> Mapping[Partition, float]:
    return {place: each.rate for place, each in flow.partitions.items()}


def _question(seen: Observation, flow: Flow) -> Question:
    return Question(
        load=evened(flow.load, FAST_SECONDS if flow.burst else STABLE_SECONDS),
        backlog={place: each.backlog for place, each in flow.partitions.items()},
        utilization=seen.spec.utilization,
        drain_seconds=seen.spec.slo.drain_time,
        rebalance_seconds=rebalance_seconds(seen.spec.assignor),
        current=seen.workload.replicas,
        assignor=seen.spec.assignor,
    )
