"""What stands above the model: a pause, and a person who scales by hand."""

from dataclasses import replace

from doorbuster_operator.decisions.verdict import Verdict
from doorbuster_operator.decisions.watching import begun_anew
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import DecisionRecord, Reason
from doorbuster_operator.model.memory import Change, ForeignChange, ScalerMemory


def notice_target(seen: Observation) -> ScalerMemory:
    """Return the memory with what the target's number of replicas says about who scaled it last."""
    memory, replicas = seen.memory, seen.workload.replicas
    if memory.expected_replicas is None or seen.spec.paused:
        # What a person set meanwhile is known to hold only from now on.
        memory = begun_anew(memory, seen.now)
        disturbed_at = memory.disturbed_at if replicas == memory.expected_replicas else seen.now
        return replace(memory, expected_replicas=replicas, foreign=None, disturbed_at=disturbed_at)
    if replicas == memory.expected_replicas:
        over = memory.foreign is not None and seen.now - memory.foreign.at >= seen.spec.scale_down.window
        return replace(memory, foreign=None) if over else memory
    order = _unconfirmed_order(memory, replicas)
    if order is not None:
        return replace(memory, expected_replicas=replicas, last_change=_change_of(order), foreign=None)
    foreign = ForeignChange(at=seen.now, replicas=replicas)
    return replace(memory, expected_replicas=replicas, foreign=foreign, disturbed_at=seen.now)


def overridden(seen: Observation) -> Verdict | None:
    """Return what holds whatever the model says; None when nothing does. The memory has noticed the target."""
    current = seen.workload.replicas
    if seen.spec.paused:
        return Verdict(replicas=current, reason=Reason.PAUSED, because="paused by the spec, so nothing is changed")
    foreign = seen.memory.foreign
    if foreign is None:
        return None
    left = foreign.at + seen.spec.scale_down.window - seen.now
    because = f"somebody else set {foreign.replicas}, which is left alone for another {left:.0f} s"
    return Verdict(replicas=current, reason=Reason.FOREIGN_SCALE, because=because)


def _unconfirmed_order(memory: ScalerMemory, replicas: int) -> DecisionRecord | None:
    """Return our last order if the target has that number: the answer to it was lost, and it was carried out."""
    last = memory.records[-1] if memory.records else None
    return last if last is not None and last.before != last.after == replicas else None


def _change_of(order: DecisionRecord) -> Change:
    rate = 0.0 if order.numbers is None else order.numbers.rate
    return Change(at=order.at, before=order.before, after=order.after, rate=rate)
