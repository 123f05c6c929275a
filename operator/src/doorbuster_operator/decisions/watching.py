"""What a look finds before anything is measured: a gap since the last one, clocks that differ, new pod templates."""

from dataclasses import replace

from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.memory import ScalerMemory

# Looks that are farther apart have a gap between them: what happened there, nobody saw.
TICKS_WITHOUT_GAP = 3
SHORTEST_GAP_SECONDS = 15.0


def watched(seen: Observation) -> ScalerMemory:
    """Return the memory as this look finds it."""
    memory = _noticed_templates(_without_future(seen.memory, seen.now), seen)
    return begun_anew(memory, seen.now) if _has_gap(seen) else memory


def begun_anew(memory: ScalerMemory, now: float) -> ScalerMemory:
    """Return the memory with its windows begun anew; only what waits before replicas leave begins anew."""
    return replace(memory, watching_since=now, idle_since=None)


def _has_gap(seen: Observation) -> bool:
    """Say whether the last look was long ago, or is to come because the clock went back."""
    kept = seen.memory.recommendations
    last = kept[-1].at if kept else seen.memory.watching_since
    return not 0 <= seen.now - last <= max(TICKS_WITHOUT_GAP * seen.scrape_seconds, SHORTEST_GAP_SECONDS)


def _without_future(memory: ScalerMemory, now: float) -> ScalerMemory:
    """Return the memory with nothing later than now: another machine's clock was ahead, or this one's went back."""
    change, foreign = memory.last_change, memory.foreign
    return replace(
        memory,
        watching_since=min(memory.watching_since, now),
        last_change=None if change is None else replace(change, at=min(change.at, now)),
        foreign=None if foreign is None else replace(foreign, at=min(foreign.at, now)),
        disturbed_at=_at_most(memory.disturbed_at, now),
        idle_since=_at_most(memory.idle_since, now),
        late_since=_at_most(memory.late_since, now),
        unassigned_since=_at_most(memory.unassigned_since, now),
    )


def _at_most(at: float | None, now: float) -> float | None:
    return None if at is None else min(at, now)


def _noticed_templates(memory: ScalerMemory, seen: Observation) -> ScalerMemory:
    templates = frozenset(pod.template for pod in seen.workload.pods)
    new = memory.disturbed_at is None or not templates <= memory.templates
    return replace(
        memory, templates=templates or memory.templates, disturbed_at=seen.now if new else memory.disturbed_at
    )
