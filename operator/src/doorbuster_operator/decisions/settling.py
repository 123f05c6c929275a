"""Whether the last change is still taking effect, so that what is measured doesn't show it yet."""

import math

from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.spec import Assignor
from doorbuster_operator.model.workload import Pod, Workload

# Before any pod has shown how long it takes: what pods of the platform take, image at hand (research, 4.4).
USUAL_STARTUP_SECONDS = 15.0
SHORTEST_STARTUP_SECONDS = 5.0
# A pod that isn't ready by then is broken, and must not hold everything up. A longer time from creation to readiness
# is no start either: the pod was ready before, failed and came back.
LONGEST_STARTUP_SECONDS = 120.0
STARTUP_QUANTILE = 0.9
# A load up to this times the one ordered for is the same load, measured again.
ORDER_TOLERANCE = 1.15
# Kubernetes gives times in whole seconds, by another clock.
CLOCKS_DIFFER_SECONDS = 2.0

# How long partitions have no consumer when members come or go.
COOPERATIVE_REBALANCE_SECONDS = 3.0
EAGER_REBALANCE_SECONDS = 5.0


def rebalance_seconds(assignor: Assignor) -> float:
    """Return for how long partitions are taken to have no consumer when members come or go."""
    return COOPERATIVE_REBALANCE_SECONDS if assignor is Assignor.COOPERATIVE_STICKY else EAGER_REBALANCE_SECONDS


def startup_seconds(workload: Workload) -> float:
    """Return how long nine of ten of the target's pods took from creation to readiness, in seconds."""
    taken = sorted(
        pod.ready_at - pod.created_at
        for pod in workload.pods
        if pod.ready_at is not None and pod.ready_at - pod.created_at <= LONGEST_STARTUP_SECONDS
    )
    if not taken:
        return USUAL_STARTUP_SECONDS
    return max(SHORTEST_STARTUP_SECONDS, taken[math.ceil(STARTUP_QUANTILE * len(taken)) - 1])


def settling_seconds(seen: Observation) -> float:
    """Return how long after a change its effect is taken to show, in seconds, before its pods have shown it."""
    return startup_seconds(seen.workload) + _joining_seconds(seen)


def is_settling(seen: Observation) -> bool:
    """Say whether a change is still taking effect, ours or a roll-out's.

    Ends in any case: pods that come and go long after the last change are broken, and no reason to wait.
    """
    recent = min(_since_change(seen), _since_disturbance(seen)) < LONGEST_STARTUP_SECONDS
    if recent and any(_starts(pod, seen.now) for pod in seen.workload.pods):
        return True
    started_at = _started_at(seen)
    if started_at is not None:
        return seen.now - started_at < _joining_seconds(seen)
    if _since_change(seen) < settling_seconds(seen):
        return True
    return seen.workload.ready != seen.workload.replicas and _since_change(seen) < LONGEST_STARTUP_SECONDS


def is_ordered(seen: Observation, load: float) -> bool:
    """Say whether what is starting was ordered for this load; `load` in records a second."""
    change = seen.memory.last_change
    recent = _since_change(seen) < max(LONGEST_STARTUP_SECONDS, settling_seconds(seen))
    return change is not None and recent and load <= ORDER_TOLERANCE * change.rate


def _joining_seconds(seen: Observation) -> float:
    """Return the time from readiness to a measured effect: a rebalance, a first commit, and a scrape that sees it."""
    return rebalance_seconds(seen.spec.assignor) + seen.spec.commit_interval + seen.scrape_seconds


def _started_at(seen: Observation) -> float | None:
    """Return when the last of the pods that were ordered last became ready; None while that isn't known.

    With it, nobody waits for what earlier pods took when they had to fetch their image first. Long after the change a
    pod that becomes ready has failed in between.
    """
    change = seen.memory.last_change
    if change is None or change.after <= change.before or _since_change(seen) >= LONGEST_STARTUP_SECONDS:
        return None
    new = [pod for pod in seen.workload.pods if pod.created_at >= change.at - CLOCKS_DIFFER_SECONDS and not pod.leaving]
    ready = [pod.ready_at for pod in new if pod.ready_at is not None]
    return max(ready) if len(new) == len(ready) >= change.after - change.before else None


def _since_change(seen: Observation) -> float:
    change = seen.memory.last_change
    return math.inf if change is None else seen.now - change.at


def _since_disturbance(seen: Observation) -> float:
    return math.inf if seen.memory.disturbed_at is None else seen.now - seen.memory.disturbed_at


def _starts(pod: Pod, now: float) -> bool:
    return pod.ready_at is None and not pod.leaving and now - pod.created_at < LONGEST_STARTUP_SECONDS
