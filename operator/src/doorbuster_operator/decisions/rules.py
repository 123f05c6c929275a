"""The rules by which the model's answer becomes a number of replicas. The first that applies decides."""

from collections.abc import Callable

from doorbuster_operator.decisions.assessment import Assessment
from doorbuster_operator.decisions.assignment import usable_replicas
from doorbuster_operator.decisions.explanation import figure
from doorbuster_operator.decisions.lateness import model_is_wrong
from doorbuster_operator.decisions.need import next_step
from doorbuster_operator.decisions.recommendations import falls_soon, highest, seconds_until_lower, window_left
from doorbuster_operator.decisions.settling import is_ordered
from doorbuster_operator.decisions.verdict import Verdict
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import Reason

Rule = Callable[[Observation, Assessment], Verdict | None]

# A group may have no consumer for some partitions for so long; then it is no rebalance but a fault, and load counts.
LONGEST_REBALANCE_SECONDS = 60.0


def by_model(seen: Observation, found: Assessment) -> Verdict:
    """Return what the first rule says that applies. The memory has the recommendation and the marks of now."""
    for rule in RULES:
        verdict = rule(seen, found)
        if verdict is not None:
            return verdict
    return Verdict(
        replicas=seen.workload.replicas, reason=Reason.STEADY, because=f"it stays at {seen.workload.replicas}"
    )


def without_model(seen: Observation) -> Verdict:
    """Return what holds while something needed isn't known: never less than there is, and never below the minimum."""
    current, low = seen.workload.replicas, seen.spec.min_replicas
    if current < low:
        because = f"fewer than minReplicas: from {current} to {low}"
        return Verdict(replicas=low, reason=Reason.OUT_OF_BOUNDS, because=because)
    because = f"it stays at {current} until that is known"
    return Verdict(replicas=current, reason=Reason.METRICS_UNAVAILABLE, because=because)


def _at_zero(seen: Observation, found: Assessment) -> Verdict | None:
    if seen.workload.replicas > 0:
        return None
    if found.works and found.flow.members is None:
        # A group of which nothing is known hasn't begun, or can't be read: all that was ever sent seems to wait.
        return _to(seen, found, 1, Reason.ACTIVATE, "there may be work, and one replica shows how much")
    if found.works:
        return _to(seen, found, found.out, Reason.ACTIVATE, "there is work and nobody to do it")
    quiet = Verdict(replicas=0, reason=Reason.STEADY, because="there is no work, so none is needed")
    return quiet if seen.spec.min_replicas == 0 else None


def _out_of_bounds(seen: Observation, found: Assessment) -> Verdict | None:
    spec, current = seen.spec, seen.workload.replicas
    if spec.min_replicas <= current <= spec.max_replicas:
        return None
    because = f"outside of {spec.min_replicas} to {spec.max_replicas}"
    return _to(seen, found, max(current, found.out), Reason.OUT_OF_BOUNDS, because)


def _idle(seen: Observation, _: Assessment) -> Verdict | None:
    since, after = seen.memory.idle_since, seen.spec.idle.after
    if seen.spec.min_replicas > 0 or since is None or seen.now - since < after:
        return None
    return Verdict(replicas=0, reason=Reason.IDLE, because=f"no work for {after:.0f} s, so none is needed")


def _rebalancing(seen: Observation, found: Assessment) -> Verdict | None:
    since = seen.memory.unassigned_since
    if since is None or seen.now - since >= LONGEST_REBALANCE_SECONDS:
        return None
    because = f"{found.flow.assigned} of {len(found.flow.partitions)} partitions have a consumer now, so it waits"
    return Verdict(replicas=seen.workload.replicas, reason=Reason.REBALANCING, because=because)


def _model_wrong(seen: Observation, found: Assessment) -> Verdict | None:
    after = _bounded(seen, found, next_step(seen.workload.replicas, found.steps))
    if found.capacity is None or after <= seen.workload.replicas or not model_is_wrong(seen, found):
        return None
    because = f"records have been late for 30 s although {seen.workload.replicas} should do, so one step more"
    return _to(seen, found, after, Reason.MODEL_WRONG, because)


def _step_by_step(seen: Observation, found: Assessment) -> Verdict | None:
    limit = seen.spec.slo.oldest_record_age / 2 + seen.spec.commit_interval
    after = _bounded(seen, found, next_step(seen.workload.replicas, found.steps))
    if found.capacity is not None or found.settling or found.moving_age <= limit or after <= seen.workload.replicas:
        return None
    because = f"where records move they wait up to {found.moving_age:.0f} s, so one step more"
    return _to(seen, found, after, Reason.STEP_BY_STEP, because)


def _scale_out(seen: Observation, found: Assessment) -> Verdict | None:
    current = seen.workload.replicas
    after = _bounded(seen, found, found.out)
    if after <= current:
        return None
    change = seen.memory.last_change
    if change is not None and found.settling and is_ordered(seen, found.load):
        since = seen.now - change.at
        because = f"{change.after} were ordered {since:.0f} s ago for {figure(change.rate)}/s and still take effect"
        return Verdict(replicas=current, reason=Reason.ALREADY_ORDERED, because=because)
    return _to(seen, found, after, Reason.SCALE_OUT, "more are needed")


def _scale_in(seen: Observation, found: Assessment) -> Verdict | None:
    current = seen.workload.replicas
    if _bounded(seen, found, found.enough) >= current:
        return None
    recommended = seen.memory.recommendations
    lower = _bounded(seen, found, highest(recommended))
    if window_left(seen) <= 0 and lower < current and not found.settling and not falls_soon(seen):
        return _to(
            seen, found, lower, Reason.SCALE_IN, f"no more than {lower} needed for {seen.spec.scale_down.window:.0f} s"
        )
    left = seconds_until_lower(seen, recommended, current)
    because = f"fewer would be enough; it stays at {current} for another {left:.0f} s in case they aren't"
    return Verdict(replicas=current, reason=Reason.SCALE_IN_WINDOW, because=because)


RULES: tuple[Rule, ...] = (
    _at_zero,
    _out_of_bounds,
    _idle,
    _rebalancing,
    _model_wrong,
    _step_by_step,
    _scale_out,
    _scale_in,
)


def _to(seen: Observation, found: Assessment, replicas: int, reason: Reason, because: str) -> Verdict:
    after = _bounded(seen, found, replicas)
    return Verdict(replicas=after, reason=reason, because=f"{because}: from {seen.workload.replicas} to {after}")


def _bounded(seen: Observation, found: Assessment, replicas: int) -> int:
    """Return the nearest number within the bounds. More than can have partitions are used only if the spec insists."""
    low = max(1, seen.spec.min_replicas)
    usable = usable_replicas(found.flow.partitions, seen.spec.assignor)
    return max(low, min(replicas, seen.spec.max_replicas, usable))
