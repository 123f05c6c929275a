from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster_operator.decisions.scaling import decide
from doorbuster_operator.model.capacity import CapacitySource
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import Condition, Reason
from doorbuster_operator.model.memory import Change, Recommendation, ScalerMemory
from doorbuster_operator.model.samples import GroupSamples, Partition
from doorbuster_operator.model.spec import Assignor
from doorbuster_operator.model.workload import Workload
from tests.unit.doorbuster_operator.decisions.seeing import (
    NOW,
    TOPIC,
    capacity,
    even_samples,
    memory,
    pods,
    samples,
    seen,
    spec,
    workload,
)

HINTED = spec(capacity_hint=33.0)


def test_arrivals_beyond_the_reserve_scale_out() -> None:
    decision = decide(seen(1, spec=HINTED, samples=even_samples(60)))

    assert decision.scales
    assert (decision.record.before, decision.record.after, decision.record.reason) == (1, 3, Reason.SCALE_OUT)
    assert decision.record.numbers is not None
    assert decision.record.numbers.needed == 3


def test_an_order_is_remembered_with_the_load_it_is_for() -> None:
    after = decide(seen(1, spec=HINTED, samples=even_samples(60))).memory

    assert after.expected_replicas == 3
    assert after.last_change is not None
    assert replace(after.last_change, rate=60.0) == Change(at=NOW, before=1, after=3, rate=60.0)
    assert after.last_change.rate == pytest.approx(60, rel=0.02)


def test_what_could_not_be_read_holds_whatever_else_is_true() -> None:
    decision = decide(seen(20, spec=spec(max_replicas=4)))

    assert not decision.scales
    assert decision.record.reason is Reason.METRICS_UNAVAILABLE
    assert decision.record.numbers is None
    assert set(decision.conditions) == {Condition.METRICS_UNAVAILABLE}


def test_what_is_missing_breaks_the_window_and_every_patience() -> None:
    lower = (Recommendation(at=NOW - 60, replicas=1),)
    before = memory(expected_replicas=4, recommendations=lower, idle_since=NOW - 60, late_since=NOW - 20, late_age=9.0)

    after = decide(seen(4, memory=before)).memory

    assert after.recommendations == (Recommendation(at=NOW, replicas=4),)
    assert (after.idle_since, after.late_since, after.late_age) == (None, None, 0.0)


def test_old_samples_are_missing_and_not_zero() -> None:
    decision = decide(seen(4, spec=HINTED, samples=even_samples(60, until=NOW - 20)))

    assert (decision.record.after, decision.record.reason) == (4, Reason.METRICS_UNAVAILABLE)


def test_a_dry_run_decides_the_same() -> None:
    observed = seen(1, spec=HINTED, samples=even_samples(60))
    dry = replace(observed, spec=spec(capacity_hint=33.0, dry_run=True))

    assert decide(dry).record == decide(observed).record


def test_a_pause_changes_nothing_and_shows_the_numbers() -> None:
    decision = decide(seen(1, spec=spec(capacity_hint=33.0, paused=True), samples=even_samples(60)))

    assert (decision.scales, decision.record.reason) == (False, Reason.PAUSED)
    assert decision.record.numbers is not None
    assert decision.record.numbers.needed == 3


def test_a_number_set_by_hand_holds() -> None:
    decision = decide(seen(8, spec=HINTED, samples=even_samples(20), memory=memory(expected_replicas=2)))

    assert (decision.scales, decision.record.reason) == (False, Reason.FOREIGN_SCALE)
    assert decision.memory.expected_replicas == 8


def test_a_decision_is_recorded_when_its_reason_or_number_changes() -> None:
    observed = seen(1, spec=HINTED, samples=even_samples(10))
    first = decide(observed)
    again = decide(replace(observed, memory=first.memory))
    paused = decide(replace(observed, memory=again.memory, spec=spec(paused=True)))

    assert [each.reason for each in paused.memory.records] == [Reason.STEADY, Reason.PAUSED]


def test_ten_decisions_are_kept() -> None:
    kept = memory()
    for tick in range(30):
        observed = seen(1, spec=spec(paused=tick % 2 == 0), samples=even_samples(1), memory=kept)
        kept = decide(observed).memory

    assert len(kept.records) == 10


def test_quiet_reasons_that_take_turns_leave_one_record() -> None:
    kept = memory(expected_replicas=3)
    for rate in (50, 10, 50, 10, 50):
        kept = decide(seen(3, spec=spec(capacity_hint=20.0), samples=even_samples(rate), memory=kept)).memory

    assert [each.reason for each in kept.records] == [Reason.STEADY]


def test_only_what_was_measured_is_remembered_as_capacity() -> None:
    learned = capacity(40.0)
    observed = seen(1, spec=HINTED, samples=even_samples(10), memory=memory(expected_replicas=1, capacity=learned))

    decision = decide(observed)

    assert decision.memory.capacity == learned
    assert decision.record.numbers is not None
    assert decision.record.numbers.capacity_source == CapacitySource.LEARNED


def test_idleness_begins_when_nothing_arrives_and_nothing_waits() -> None:
    assert decide(seen(1, samples=even_samples(0))).memory.idle_since == NOW
    assert decide(seen(1, samples=even_samples(0, lag=24))).memory.idle_since is None
    assert decide(seen(1, samples=even_samples(5))).memory.idle_since is None


COUNTS = st.integers(min_value=0, max_value=20)


@st.composite
def memories(draw: st.DrawFn, replicas: int) -> ScalerMemory:
    ago = st.floats(min_value=0, max_value=400)
    change = Change(at=NOW - draw(ago), before=1, after=draw(COUNTS), rate=draw(st.floats(0, 200)))
    return ScalerMemory(
        watching_since=NOW - draw(ago),
        expected_replicas=draw(st.sampled_from([None, replicas, 3])),
        last_change=draw(st.sampled_from([None, change])),
        recommendations=tuple(Recommendation(at=NOW - each, replicas=draw(COUNTS)) for each in (90.0, 5.0)),
        idle_since=draw(st.sampled_from([None, NOW - 1_000])),
        late_since=draw(st.sampled_from([None, NOW - 31])),
        unassigned_since=draw(st.sampled_from([None, NOW - 30, NOW - 90])),
    )


@st.composite
def group_samples(draw: st.DrawFn) -> GroupSamples | None:
    rates = draw(st.lists(st.floats(0, 50), min_size=1, max_size=12))
    places = [Partition(TOPIC, number) for number in range(len(rates))]
    lag = draw(st.sampled_from([0.0, 1.0, 50.0, 5_000.0]))
    seen_at = draw(st.sampled_from([NOW, NOW - 10, NOW - 60]))
    some = samples(dict(zip(places, rates, strict=True)), lag=lag, until=seen_at)
    return draw(st.sampled_from([some, some, some, None]))


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    low = draw(st.integers(0, 6))
    wanted = spec(
        min_replicas=low,
        max_replicas=draw(st.integers(max(1, low), 15)),
        capacity_hint=draw(st.sampled_from([None, 0.5, 8.2, 33.0])),
        assignor=draw(st.sampled_from(Assignor)),
        paused=draw(st.sampled_from([False, False, False, True])),
    )
    replicas = draw(COUNTS)
    starting = draw(st.integers(0, 2))
    target = Workload(replicas=replicas, ready=replicas, pods=pods(replicas, starting=starting))
    return seen(spec=wanted, samples=draw(group_samples()), workload=target, memory=draw(memories(replicas)))


@given(observations())
def test_a_change_is_always_into_the_bounds(observed: Observation) -> None:
    decision = decide(observed)
    low, high = observed.spec.min_replicas, observed.spec.max_replicas
    usable = len(observed.samples.ends) if observed.samples else 0

    after = decision.record.after
    assert after == observed.workload.replicas or low <= after <= max(low, min(high, max(1, usable)))


@given(observations())
def test_a_decision_depends_on_what_is_seen_alone(observed: Observation) -> None:
    assert decide(observed) == decide(observed)


@given(observations())
def test_nothing_but_the_minimum_is_scaled_to_on_what_is_not_known(observed: Observation) -> None:
    decision = decide(observed)

    unknown = decision.record.numbers is None
    assert unknown == (Condition.METRICS_UNAVAILABLE in decision.conditions)
    if unknown and decision.scales:
        assert decision.record.before < decision.record.after == observed.spec.min_replicas


@given(observations())
def test_the_memory_fits_the_decision(observed: Observation) -> None:
    decision = decide(observed)

    assert decision.memory.expected_replicas == decision.record.after
    assert decision.memory.records[-1].after == decision.record.after
    assert len(decision.memory.records) <= 10


def test_a_target_without_pods_is_sized_by_what_was_learned() -> None:
    learned = replace(capacity(8.2), template="a")
    empty = replace(workload(0), pods=())
    observed = seen(
        spec=spec(min_replicas=0), samples=even_samples(20), workload=empty, memory=memory(capacity=learned)
    )

    assert (decide(observed).record.after, decide(observed).record.reason) == (3, Reason.ACTIVATE)
