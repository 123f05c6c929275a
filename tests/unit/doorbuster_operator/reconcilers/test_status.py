"""The status holds what a restart may not forget, in a form that people read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster_operator.model.capacity import Capacity, CapacitySource
from doorbuster_operator.model.decision_record import DecisionRecord, Numbers, Reason
from doorbuster_operator.model.memory import Change, ForeignChange, ScalerMemory
from doorbuster_operator.reconcilers.remembering import memory_in, status_with
from doorbuster_operator.reconcilers.status import (
    CapacityStatus,
    ConditionStatus,
    Status,
    duration_text,
    read_status,
    status_json,
    time_text,
)

NOW = 1_800_000_000.0

times = st.floats(min_value=0, max_value=NOW)
replicas = st.integers(min_value=0, max_value=10_000)
figures = st.floats(min_value=0, max_value=1e9)
words = st.text(max_size=40)

numbers = st.builds(
    Numbers,
    rate=figures,
    lag=figures,
    backlog=figures,
    age=st.floats(min_value=0, max_value=1e6),
    capacity=st.none() | figures,
    capacity_source=st.sampled_from(["", *CapacitySource]),
    heaviest=st.none() | figures,
    partitions=replicas,
    replicas=replicas,
    ready=replicas,
    needed=replicas,
    keda=replicas,
)
records = st.builds(
    DecisionRecord,
    at=times,
    before=replicas,
    after=replicas,
    reason=st.sampled_from(Reason),
    message=words,
    numbers=st.none() | numbers,
)
memories = st.builds(
    ScalerMemory,
    watching_since=st.just(NOW),
    expected_replicas=st.none() | replicas,
    last_change=st.none() | st.builds(Change, at=times, before=replicas, after=replicas, rate=figures),
    foreign=st.none() | st.builds(ForeignChange, at=times, replicas=replicas),
    capacity=st.none()
    | st.builds(
        Capacity,
        records_per_second=figures,
        source=st.sampled_from([CapacitySource.MEASURED, CapacitySource.LEARNED]),
        at=times,
        template=words,
    ),
    records=st.lists(records, max_size=10).map(tuple),
)


def restarted(memory: ScalerMemory) -> ScalerMemory:
    return memory_in(read_status(status_json(status_with(memory, None))), now=NOW)


@given(memories)
def test_a_memory_that_was_in_a_status_once_stays_as_it_is(memory: ScalerMemory) -> None:
    kept = restarted(memory)

    assert restarted(kept) == kept


@given(memories)
def test_a_restart_loses_fractions_only(memory: ScalerMemory) -> None:
    kept = restarted(memory)

    assert kept.expected_replicas == memory.expected_replicas
    assert (kept.foreign is None) == (memory.foreign is None)
    assert [(each.before, each.after, each.reason) for each in kept.records] == [
        (each.before, each.after, each.reason) for each in memory.records
    ]
    if memory.last_change and kept.last_change:
        assert 0 <= memory.last_change.at - kept.last_change.at < 1
        assert kept.last_change.rate == pytest.approx(memory.last_change.rate, rel=0.006)
    if memory.capacity and kept.capacity:
        assert kept.capacity.template == memory.capacity.template
        assert kept.capacity.records_per_second == pytest.approx(memory.capacity.records_per_second, rel=0.006)


def test_what_a_clock_that_is_ahead_wrote_counts_as_of_now() -> None:
    ahead = NOW + 3600
    memory = ScalerMemory(
        watching_since=NOW,
        last_change=Change(at=ahead, before=1, after=2, rate=1.0),
        foreign=ForeignChange(at=ahead, replicas=2),
        capacity=Capacity(records_per_second=1.0, source=CapacitySource.MEASURED, at=ahead, template="abc"),
        records=(DecisionRecord(at=ahead, before=1, after=2, reason=Reason.SCALE_OUT, message="", numbers=None),),
    )

    kept = restarted(memory)

    assert kept.last_change is not None
    assert kept.foreign is not None
    assert kept.capacity is not None
    assert {kept.last_change.at, kept.foreign.at, kept.capacity.at, kept.records[0].at} == {NOW}


@given(memories)
def test_lists_hold_no_null_which_a_merge_patch_would_leave_there(memory: ScalerMemory) -> None:
    def has_null(value: Any) -> bool:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return value is None or any(map(has_null, inner))

    document = status_json(status_with(memory, None))

    assert not has_null(document["decisions"])
    assert not has_null(document["conditions"])


def test_a_field_that_isnt_known_is_null_so_that_a_merge_patch_removes_it() -> None:
    document = status_json(Status(capacity=CapacityStatus(records_per_second=33.0, source=CapacitySource.HINT)))

    assert document["foreignChange"] is None
    assert document["lag"] is None
    assert document["capacity"] == {
        "recordsPerSecond": 33.0, "source": "Hint", "measuredAt": None, "podTemplate": None
    }  # fmt: skip


def test_a_hint_is_shown_and_not_remembered() -> None:
    numbers_with_hint = Numbers(
        rate=1.0, lag=0.0, backlog=0.0, age=0.0, capacity=33.0, capacity_source="Hint", heaviest=1.0, partitions=1,
        replicas=1, ready=1, needed=1, keda=1,
    )  # fmt: skip

    status = status_with(ScalerMemory(watching_since=NOW), numbers_with_hint)

    assert status.capacity == CapacityStatus(records_per_second=33.0, source=CapacitySource.HINT)
    assert memory_in(status, now=NOW).capacity is None


def test_times_are_rounded_down() -> None:
    assert time_text(1_764_108_605.999) == "2025-11-25T22:10:05Z"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0s"), (4.0, "4s"), (4.24, "4.2s"), (999.99, "1000s"), (123_456.7, "123457s")]
)
def test_durations_are_written_as_in_the_spec(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    "damaged",
    [
        {"lastChange": {"at": "yesterday", "before": 1, "after": 2, "arrivalRate": 1}},
        {"oldestRecordAge": "long"},
        {"decisions": [{"at": "2026-11-25T22:10:05Z", "before": 1, "after": 2, "reason": "Whim", "message": ""}]},
        {"conditions": "all well"},
    ],
)
def test_what_the_operator_didnt_write_is_no_status(damaged: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        read_status(damaged)


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert read_status({"replicas": 3, "weather": "fine"}) == Status(replicas=3)


def test_a_condition_is_in_the_shape_of_kubernetes() -> None:
    condition = ConditionStatus(
        type="Ready", status="True", reason="Steady", message="All well.", last_transition_time=0.0,
        observed_generation=2,
    )  # fmt: skip

    assert status_json(Status(conditions=(condition,)))["conditions"] == [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Steady",
            "message": "All well.",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
            "observedGeneration": 2,
        }
    ]
