"""The decision about a consumer group's replicas: what is seen goes in, what is to be done and why comes out.

look for gaps -> notice who scaled the target last -> measure the flow -> assess it by the model -> remember -> the
first rule decides
"""

from dataclasses import replace

from doorbuster_operator.decisions.assessment import Assessment, assess
from doorbuster_operator.decisions.explanation import conditions_of, message_of, numbers_of
from doorbuster_operator.decisions.flow import measure_flow
from doorbuster_operator.decisions.lateness import all_must_stay, lateness, least_by_experience
from doorbuster_operator.decisions.overrides import notice_target, overridden
from doorbuster_operator.decisions.recommendations import with_recommendation
from doorbuster_operator.decisions.rules import by_model, without_model
from doorbuster_operator.decisions.verdict import Verdict
from doorbuster_operator.decisions.watching import watched
from doorbuster_operator.model.capacity import CapacitySource
from doorbuster_operator.model.decision import Decision, Observation
from doorbuster_operator.model.decision_record import DecisionRecord, Reason
from doorbuster_operator.model.flow import Missing
from doorbuster_operator.model.memory import Change, ScalerMemory

MOST_RECORDS = 10
# Reasons that come and go with the noise of arrivals while nothing happens.
QUIET = frozenset({Reason.STEADY, Reason.SCALE_IN_WINDOW, Reason.ALREADY_ORDERED})


def decide(seen: Observation) -> Decision:
    """Return how many replicas the target should ask for, why, and what to remember."""
    seen = replace(seen, memory=watched(seen))
    seen = replace(seen, memory=notice_target(seen))
    found = _assessed(seen)
    seen = replace(seen, memory=_remembered(seen, found))
    verdict = overridden(seen) or _judged(seen, found)
    record = _record(seen, found, verdict)
    return Decision(record=record, conditions=conditions_of(seen, found), memory=_next_memory(seen, found, record))


def _assessed(seen: Observation) -> Assessment | Missing:
    if seen.samples is None:
        return Missing(why="Prometheus could not be read")
    flow = measure_flow(
        seen.samples,
        seen.spec,
        now=seen.now,
        scrape_seconds=seen.scrape_seconds,
        may_be_new=seen.workload.replicas == 0,
    )
    return flow if isinstance(flow, Missing) else assess(seen, flow)


def _judged(seen: Observation, found: Assessment | Missing) -> Verdict:
    return without_model(seen) if isinstance(found, Missing) else by_model(seen, found)


def _remembered(seen: Observation, found: Assessment | Missing) -> ScalerMemory:
    """Return the memory with the marks of now. What isn't known breaks every series of observations."""
    current = seen.workload.replicas
    if isinstance(found, Missing):
        return replace(
            seen.memory,
            recommendations=with_recommendation(seen, current),
            idle_since=None,
            unassigned_since=None,
        )
    # While records are late, in whichever partition, nobody may leave, whatever the model says.
    enough = max(found.enough, current if all_must_stay(seen, found) else least_by_experience(seen, found))
    measured = found.capacity if found.capacity and found.capacity.source is CapacitySource.MEASURED else None
    return replace(
        seen.memory,
        capacity=measured or seen.memory.capacity,
        recommendations=with_recommendation(seen, enough),
        idle_since=None if found.works else _since(seen.memory.idle_since, seen.now),
        unassigned_since=_since(seen.memory.unassigned_since, seen.now) if _is_unassigned(seen, found) else None,
    )


def _is_unassigned(seen: Observation, found: Assessment) -> bool:
    """Say whether some partition has no consumer although there are consumers."""
    assigned = found.flow.assigned
    return assigned is not None and assigned < len(found.flow.partitions) and seen.workload.ready > 0


def _since(mark: float | None, now: float) -> float:
    return now if mark is None else mark


def _record(seen: Observation, found: Assessment | Missing, verdict: Verdict) -> DecisionRecord:
    return DecisionRecord(
        at=seen.now,
        before=seen.workload.replicas,
        after=verdict.replicas,
        reason=verdict.reason,
        message=message_of(seen, found, verdict),
        numbers=None if isinstance(found, Missing) else numbers_of(seen, found),
    )


def _next_memory(seen: Observation, found: Assessment | Missing, record: DecisionRecord) -> ScalerMemory:
    """Return the memory as if the decision will be carried out."""
    # Of what isn't known nothing was ordered for any load.
    (late_since, late_age), load = (
        ((None, 0.0), 0.0) if isinstance(found, Missing) else (lateness(seen, found), found.load)
    )
    records = _kept_records(seen.memory.records, record)
    memory = replace(seen.memory, records=records, late_since=late_since, late_age=late_age)
    if record.after == record.before:
        return memory
    change = Change(at=record.at, before=record.before, after=record.after, rate=load)
    return replace(memory, expected_replicas=record.after, last_change=change)


def _kept_records(records: tuple[DecisionRecord, ...], new: DecisionRecord) -> tuple[DecisionRecord, ...]:
    """Return the last ten; one more only when the reason or the replicas changed.

    Of quiet ones in a row the last is kept, or they would push out within a minute what a person looks for.
    """
    last = records[-1] if records else None
    if last is not None and (last.reason, last.after) == (new.reason, new.after):
        return records
    quiet = last is not None and {last.reason, new.reason} <= QUIET and last.after == new.after
    return ((*records[:-1], new) if quiet else (*records, new))[-MOST_RECORDS:]
