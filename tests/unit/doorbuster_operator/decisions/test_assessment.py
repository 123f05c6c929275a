from collections.abc import Mapping
from dataclasses import replace

import pytest

from doorbuster_operator.decisions import assessment as assessing
from doorbuster_operator.decisions.assessment import Assessment, assess
from doorbuster_operator.model.capacity import Capacity, CapacitySource, Work
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.samples import Partition, PodSamples
from tests.unit.doorbuster_operator.decisions.seeing import (
    NOW,
    TOPIC,
    capacity,
    even_flow,
    even_samples,
    flow,
    partition_flow,
    pods,
    seen,
    spec,
    workload,
)

IDLE_WORK = Work(capacity=None, one_size=False, fill=None, busy=None)


def assessed(
    monkeypatch: pytest.MonkeyPatch, observed: Observation, *, work: Work, known: Capacity | None, rate: float = 100.0
) -> Assessment:
    monkeypatch.setattr(assessing, "measure_work", lambda *_, **__: work)
    monkeypatch.setattr(assessing, "best_capacity", lambda *_, **__: known)
    return assess(observed, even_flow(rate))


@pytest.mark.parametrize("source", [CapacitySource.MEASURED, CapacitySource.LEARNED])
def test_a_lower_bound_from_nearly_empty_batches_asks_for_nobody(
    monkeypatch: pytest.MonkeyPatch, source: CapacitySource
) -> None:
    small = Work(capacity=33.0, one_size=True, fill=0.1, busy=1.0)

    found = assessed(monkeypatch, seen(2), work=small, known=capacity(33.0, source))

    assert (found.needed, found.out, found.withheld) == (2, 2, True)


@pytest.mark.parametrize(
    "work",
    [
        Work(capacity=33.0, one_size=False, fill=0.1, busy=1.0),
        Work(capacity=33.0, one_size=True, fill=0.5, busy=1.0),
    ],
    ids=["a and b are known", "batches are half full"],
)
def test_a_capacity_that_is_known_is_believed(monkeypatch: pytest.MonkeyPatch, work: Work) -> None:
    found = assessed(monkeypatch, seen(2), work=work, known=capacity(33.0))

    assert (found.needed, found.withheld) == (4, False)


def test_records_that_wait_half_of_what_is_promised_end_the_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Work(capacity=33.0, one_size=True, fill=0.1, busy=1.0)
    monkeypatch.setattr(assessing, "measure_work", lambda *_, **__: small)
    monkeypatch.setattr(assessing, "best_capacity", lambda *_, **__: capacity(33.0))

    assert assess(seen(2), even_flow(100, age=5.1)).needed == 4
    assert assess(seen(2), even_flow(100, age=5.0)).needed == 2


def test_a_hint_is_believed_whatever_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Work(capacity=33.0, one_size=True, fill=0.1, busy=1.0)

    found = assessed(monkeypatch, seen(2), work=small, known=capacity(33.0, CapacitySource.HINT))

    assert found.needed == 4


def test_without_a_capacity_what_there_is_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = assessed(monkeypatch, seen(3), work=IDLE_WORK, known=None)

    assert (found.needed, found.out, found.enough, found.sizing) == (3, 3, 3, None)


def test_no_work_needs_one_even_without_a_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    found = assessed(monkeypatch, seen(3), work=IDLE_WORK, known=None, rate=0.0)

    assert (found.needed, found.out, found.enough) == (1, 1, 1)
    assert not found.works


def test_consumers_of_another_template_say_nothing_about_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def measure(said: object, **since: object) -> Work:
        asked.update({"pods": said, **since})
        return IDLE_WORK

    monkeypatch.setattr(assessing, "measure_work", measure)
    old, new = pods(1, template="old")[0], replace(pods(1)[0], name="new", created_at=NOW - 60)
    says = PodSamples(assigned={})
    samples = replace(even_samples(1), pods={"ready-0": says, "new": says, "gone": says})
    two = replace(workload(2), pods=(old, new))

    assess(seen(2, samples=samples, workload=two), even_flow(1))

    assert asked["pods"] == {"new": says}
    assert asked["since"] == NOW - 60


def test_pods_that_never_become_ready_say_nothing_about_those_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def measure(said: Mapping[str, PodSamples], **_: object) -> Work:
        asked.extend(said)
        return IDLE_WORK

    monkeypatch.setattr(assessing, "measure_work", measure)
    broken = replace(pods(0, starting=1)[0], template="b")
    says = PodSamples(assigned={})
    samples = replace(even_samples(1), pods={"ready-0": says, "new-0": says})

    assess(seen(2, samples=samples, workload=replace(workload(2), pods=(*pods(1), broken))), even_flow(1))

    assert asked == ["ready-0"]


def test_a_partition_is_still_only_while_others_move() -> None:
    stuck = partition_flow(2.0, committed_rate=0.0, still_seconds=61.0, lag=122.0, age=61.0)

    assert assess(seen(1), flow(stuck, partition_flow(2.0))).still == (Partition(TOPIC, 0),)
    assert assess(seen(1), flow(stuck, stuck)).still == ()


def test_a_partition_that_commits_seldom_is_called_still_later() -> None:
    slow = partition_flow(2.0, committed_rate=0.0, still_seconds=170.0, lag=340.0)

    assert assess(seen(1, spec=spec(commit_interval=30)), flow(slow, partition_flow(2.0))).still == ()


def test_the_age_of_a_partition_that_does_not_move_is_left_out() -> None:
    stuck = partition_flow(2.0, committed_rate=0.0, still_seconds=13.0, lag=26.0, age=13.0)
    moving = partition_flow(2.0, lag=4.0, age=2.0)

    assert assess(seen(1), flow(stuck, moving)).moving_age == 2.0
    assert assess(seen(1), flow(stuck, stuck)).moving_age == 13.0
