"""The sentences that a person reads: the arithmetic with its units, and what else is true of a scaler."""

from collections.abc import Iterable, Mapping

from doorbuster_operator.decisions.assessment import Assessment
from doorbuster_operator.decisions.keda import keda_replicas
from doorbuster_operator.decisions.sizing import Sizing
from doorbuster_operator.decisions.verdict import Verdict
from doorbuster_operator.model.capacity import CapacitySource
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import Condition, Numbers
from doorbuster_operator.model.flow import Missing
from doorbuster_operator.model.samples import Partition

# More names than these don't fit into a sentence.
MOST_NAMES = 3

_SOURCES = {
    CapacitySource.MEASURED: "measured",
    CapacitySource.LEARNED: "measured earlier",
    CapacitySource.HINT: "by the spec's hint",
}


def message_of(seen: Observation, found: Assessment | Missing, verdict: Verdict) -> str:
    """Return the arithmetic and the verdict in one sentence."""
    if isinstance(found, Missing):
        return f"{found.why}; {verdict.because}"
    return f"{_observed(found)}; {_capacity(seen, found)}: {_sized(seen, found)}; {verdict.because}"


def numbers_of(seen: Observation, found: Assessment) -> Numbers:
    """Return what a decision was computed from."""
    flow, spec = found.flow, seen.spec
    keda = keda_replicas(
        flow.lag, partitions=len(flow.partitions), minimum=spec.min_replicas, maximum=spec.max_replicas
    )
    return Numbers(
        rate=flow.rate,
        lag=flow.lag,
        backlog=flow.backlog,
        age=flow.age,
        capacity=found.capacity.records_per_second if found.capacity else None,
        capacity_source=found.capacity.source if found.capacity else "",
        heaviest=found.sizing.wanted.heaviest if found.sizing else None,
        partitions=len(flow.partitions),
        replicas=seen.workload.replicas,
        ready=seen.workload.ready,
        needed=found.needed,
        keda=keda,
    )


def conditions_of(seen: Observation, found: Assessment | Missing) -> Mapping[Condition, str]:
    """Return what else is true, each with a sentence."""
    said: dict[Condition, str] = {}
    foreign = seen.memory.foreign
    if foreign is not None:
        said[Condition.FOREIGN_SCALE] = f"Somebody else set {_replicas(foreign.replicas)}; that holds for one window."
    if isinstance(found, Missing):
        why = found.why[:1].upper() + found.why[1:]
        held = "stay as they are" if seen.workload.replicas >= seen.spec.min_replicas else "are at least minReplicas"
        return said | {Condition.METRICS_UNAVAILABLE: f"{why}; the replicas {held}."}
    said[Condition.READY] = _ready(seen, found)
    if found.still:
        said[Condition.STILL_PARTITION] = f"No commits while other partitions move: {_names(found.still)}."
    return said | _limits(seen, found, found.sizing)


def _ready(seen: Observation, found: Assessment) -> str:
    if seen.spec.paused:
        # A scaler that does as it is told is ready: helm waits for that (kstatus), also when a person pauses.
        return "It measures and changes nothing, because it is paused."
    known = found.capacity is not None
    return "It decides." if known else "It decides step by step: the capacity isn't known yet."


def _limits(seen: Observation, found: Assessment, sizing: Sizing | None) -> dict[Condition, str]:
    said: dict[Condition, str] = {}
    if sizing is None:
        return said
    if found.needed > seen.spec.max_replicas:
        said[Condition.AT_MAXIMUM] = f"{_replicas(found.needed)} needed, maxReplicas allows {seen.spec.max_replicas}."
    if sizing.partitions is not None and not found.withheld:
        said[Condition.PARTITION_BOUND] = (
            f"{figure(found.flow.rate)} records/s are more than {len(found.flow.partitions)} partitions let any number "
            f"of replicas carry; at least {max(sizing.partitions, len(found.flow.partitions) + 1)} partitions of equal "
            "load would."
        )
    if sizing.hot and not found.withheld:
        said[Condition.HOT_PARTITION] = f"More than one replica can do comes into {_names(sizing.hot)}."
    return said


def figure(value: float) -> str:
    """Return a number with the digits that matter: 8.2, 20.3, 1,204."""
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def _observed(found: Assessment) -> str:
    flow = found.flow
    burst = f" ({figure(found.load)} in the last seconds)" if flow.burst else ""
    waits = f"{flow.lag:,.0f} wait (oldest {flow.age:.0f} s)" if flow.lag >= 1 else "none wait"
    return f"{figure(flow.rate)} records/s arrive{burst}, {waits}"


def _capacity(seen: Observation, found: Assessment) -> str:
    if found.capacity is None:
        return "how much a replica can do isn't known yet"
    rate = figure(found.capacity.records_per_second)
    return f"a replica does {rate}/s ({_SOURCES[found.capacity.source]}), planned at {seen.spec.utilization:.0%}"


def _sized(seen: Observation, found: Assessment) -> str:
    if found.sizing is None:
        return "replicas are added one step at a time"
    if found.withheld:
        return "at least, for batches are nearly empty, so more replicas aren't called for"
    arrivals = found.sizing.arrivals
    if not arrivals.fits:
        return f"no number carries the arrivals, {arrivals.replicas} come nearest"
    return f"{_replicas(arrivals.replicas)} would carry the arrivals{_drained(seen, found, found.sizing)}"


def _drained(seen: Observation, found: Assessment, sizing: Sizing) -> str:
    drain = f"within {seen.spec.slo.drain_time:.0f} s"
    if found.settling and found.flow.backlog >= 1:
        return ", the backlog isn't counted while a change takes effect"
    if not sizing.wanted.fits:
        return f", none drains the backlog {drain}, {sizing.wanted.replicas} come nearest"
    if sizing.wanted.replicas != sizing.arrivals.replicas:
        return f", {sizing.wanted.replicas} also drain the backlog {drain}"
    return ""


def _replicas(count: int) -> str:
    return f"{count} replica" if count == 1 else f"{count} replicas"


def _names(places: Iterable[Partition]) -> str:
    names = [f"{place.topic}/{place.number}" for place in sorted(places)]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
