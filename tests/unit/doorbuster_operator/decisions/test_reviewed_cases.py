"""Whole decisions in situations in which single rules, each right, came to a wrong number."""

from dataclasses import replace

import pytest

from doorbuster_operator.decisions.scaling import decide
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import Condition, Reason
from doorbuster_operator.model.memory import Change, ForeignChange, Recommendation, ScalerMemory
from doorbuster_operator.model.samples import GroupSamples, Partition
from doorbuster_operator.model.workload import Workload
from tests.unit.doorbuster_operator.decisions.seeing import (
    LONG_AGO,
    NOW,
    TOPIC,
    capacity,
    even_samples,
    memory,
    pods,
    samples,
    seen,
    spec,
)


def settled(replicas: int, **changes: object) -> ScalerMemory:
    """Return the memory of a scaler that has long been content and has just looked."""
    last = (Recommendation(at=NOW - 5, replicas=1),)
    known = {"expected_replicas": replicas, "recommendations": last, "disturbed_at": LONG_AGO}
    return memory(**known | {"templates": frozenset({"a"})} | changes)


def answer(observed: Observation) -> tuple[int, Reason]:
    record = decide(observed).record
    return record.after, record.reason


def test_a_roll_out_that_is_stuck_forgets_no_capacity() -> None:
    broken = replace(pods(0, starting=1)[0], template="b", created_at=NOW - 900)
    target = Workload(replicas=6, ready=6, pods=(*pods(6), broken))
    observed = seen(
        workload=target,
        spec=spec(capacity_hint=100.0),
        samples=even_samples(60),
        memory=settled(6, capacity=capacity(20.0)),
    )

    assert answer(observed)[0] == 6
    numbers = decide(observed).record.numbers
    assert numbers is not None
    assert numbers.capacity == 20.0


@pytest.mark.parametrize(("seconds_ago", "replicas"), [(5, 1), (150, 12)])
def test_nobody_leaves_after_a_time_in_which_nobody_looked(seconds_ago: float, replicas: int) -> None:
    last = (Recommendation(at=NOW - seconds_ago, replicas=1),)
    observed = seen(
        12, spec=spec(capacity_hint=33.0), samples=even_samples(5), memory=settled(12, recommendations=last)
    )

    assert answer(observed)[0] == replicas


@pytest.mark.parametrize(
    "before", [settled(1, idle_since=LONG_AGO), settled(1, watching_since=NOW)], ids=["idle before", "never"]
)
def test_a_group_with_one_record_in_each_partition_is_not_idle(before: ScalerMemory) -> None:
    stuck = even_samples(0, lag=12)
    observed = seen(spec=spec(min_replicas=0, capacity_hint=33.0), samples=stuck, memory=before)

    decision = decide(observed)

    assert decision.record.reason is not Reason.IDLE
    assert decision.memory.idle_since is None


def half_hangs() -> GroupSamples:
    """Return six partitions that are worked off and six that hang with two minutes of records."""
    places = [Partition(TOPIC, number) for number in range(12)]
    found = samples(dict.fromkeys(places, 1.0))
    hanging = {place: tuple(each._replace(value=9_000.0) for each in found.committed[place]) for place in places[6:]}
    return replace(found, committed={**found.committed, **hanging})


def test_nobody_leaves_while_half_of_the_group_hangs() -> None:
    drained = spec(capacity_hint=100_000.0)

    assert answer(seen(6, spec=drained, samples=half_hangs(), memory=settled(6)))[0] == 6
    assert answer(seen(6, spec=drained, samples=even_samples(12), memory=settled(6)))[0] == 1


@pytest.mark.parametrize(("changed", "replicas"), [(LONG_AGO, 12), (NOW - 60, 1)])
def test_pods_that_crash_again_and_again_hold_up_no_growth(changed: float, replicas: int) -> None:
    churning = Workload(replicas=1, ready=0, pods=pods(0, starting=1))
    observed = seen(
        workload=churning,
        spec=spec(capacity_hint=33.0),
        samples=even_samples(10, lag=12_000),
        memory=settled(1, disturbed_at=changed),
    )

    assert answer(observed)[0] == replicas


def test_the_minimum_is_kept_while_nothing_is_known() -> None:
    decision = decide(seen(1, spec=spec(min_replicas=3), memory=settled(1)))

    assert (decision.record.after, decision.record.reason) == (3, Reason.OUT_OF_BOUNDS)
    assert decision.memory.expected_replicas == 3
    assert decision.memory.last_change == Change(at=NOW, before=1, after=3, rate=0.0)
    assert decision.conditions[Condition.METRICS_UNAVAILABLE].endswith("the replicas are at least minReplicas.")


def test_what_is_above_the_maximum_stays_while_nothing_is_known() -> None:
    assert answer(seen(9, spec=spec(max_replicas=6), memory=settled(9))) == (9, Reason.METRICS_UNAVAILABLE)


@pytest.mark.parametrize("changes", [{"paused": True}, {}], ids=["paused", "set by hand"])
def test_a_person_goes_before_the_minimum_while_nothing_is_known(changes: dict[str, object]) -> None:
    foreign = ForeignChange(at=NOW - 10, replicas=1)

    assert answer(seen(1, spec=spec(min_replicas=3, **changes), memory=settled(1, foreign=foreign)))[0] == 1


def test_an_idle_group_that_can_not_be_read_is_no_group_that_never_began() -> None:
    unread = replace(even_samples(0), committed={}, members=())

    decision = decide(seen(1, spec=spec(capacity_hint=33.0), samples=unread, memory=settled(1)))

    assert (decision.record.after, decision.record.reason) == (1, Reason.METRICS_UNAVAILABLE)


def test_a_group_that_does_not_exist_yet_gets_its_first_replica() -> None:
    unread = replace(even_samples(5), committed={}, members=())
    observed = seen(
        workload=Workload(replicas=0, ready=0, pods=()),
        spec=spec(min_replicas=0, capacity_hint=33.0),
        samples=unread,
        memory=settled(0),
    )

    assert answer(observed) == (1, Reason.ACTIVATE)


def test_a_change_of_the_future_is_over_in_the_end() -> None:
    ahead = Change(at=NOW + 3_600, before=1, after=2, rate=5.0)
    observed = seen(2, spec=spec(capacity_hint=33.0), samples=even_samples(5), memory=settled(2, last_change=ahead))

    kept = decide(observed).memory.last_change

    assert kept == replace(ahead, at=NOW)


@pytest.mark.parametrize("low", [0, 1])
def test_what_a_person_set_in_a_pause_stays_for_a_window_after_it(low: int) -> None:
    paused = seen(
        8,
        spec=spec(paused=True, min_replicas=low, capacity_hint=33.0),
        samples=even_samples(0),
        memory=settled(3, idle_since=LONG_AGO),
    )
    kept = decide(paused).memory
    after = replace(
        paused,
        now=NOW + 5,
        memory=kept,
        samples=even_samples(0, until=NOW + 5),
        spec=spec(min_replicas=low, capacity_hint=33.0),
    )

    assert answer(after) == (8, Reason.SCALE_IN_WINDOW)
