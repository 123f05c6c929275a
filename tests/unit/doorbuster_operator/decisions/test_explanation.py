from collections.abc import Mapping
from dataclasses import replace

import pytest

from doorbuster_operator.decisions.assessment import Assessment
from doorbuster_operator.decisions.explanation import conditions_of, figure, message_of, numbers_of
from doorbuster_operator.decisions.sizing import size
from doorbuster_operator.decisions.verdict import Verdict
from doorbuster_operator.model.capacity import CapacitySource
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import Condition, Numbers, Reason
from doorbuster_operator.model.flow import Flow, Missing
from doorbuster_operator.model.memory import ForeignChange
from doorbuster_operator.model.samples import Partition
from tests.unit.doorbuster_operator.decisions.seeing import (
    NOW,
    TOPIC,
    assessment,
    capacity,
    even_flow,
    flow,
    memory,
    partition_flow,
    seen,
    spec,
)

OUT = Verdict(replicas=4, reason=Reason.SCALE_OUT, because="more are needed: from 1 to 4")


def found(arriving: Flow, rate: float = 8.2, **changes: object) -> Assessment:
    return found_by(seen(1), arriving, rate, changes)


def found_by(observed: Observation, arriving: Flow, rate: float, changes: Mapping[str, object]) -> Assessment:
    sizing = size(observed, arriving, rate, settling=bool(changes.get("settling")))
    fields = {"sizing": sizing, "capacity": capacity(rate), "needed": sizing.wanted.replicas}
    return assessment(arriving, **{**fields, **changes})


def test_the_arithmetic_is_one_sentence_with_its_units() -> None:
    waiting = even_flow(16.3, lag=812 / 12, backlog=763 / 12, age=24.0)

    assert message_of(seen(1), found(waiting), OUT) == (
        "16.3 records/s arrive, 812 wait (oldest 24 s); a replica does 8.2/s (measured), planned at 85%: "
        "3 replicas would carry the arrivals, 4 also drain the backlog within 60 s; more are needed: from 1 to 4"
    )


@pytest.mark.parametrize(
    ("arriving", "changes", "part"),
    [
        (even_flow(5), {}, "none wait; a replica does 8.2/s (measured), planned at 85%: 1 replica would carry the arr"),
        (
            even_flow(20, lag=20, backlog=10),
            {"settling": True},
            "the backlog isn't counted while a change takes effect",
        ),
        (even_flow(200), {}, "no number carries the arrivals, 12 come nearest"),
        (even_flow(20, backlog=1_000), {}, "none drains the backlog within 60 s, 12 come nearest"),
        (even_flow(20), {"withheld": True}, "batches are nearly empty, so more replicas aren't called for"),
        (
            even_flow(20),
            {"capacity": None, "sizing": None},
            "how much a replica can do isn't known yet: replicas are added one step at a time",
        ),
        (flow(partition_flow(2, fast_rate=9), burst=True), {}, "2.0 records/s arrive (9.0 in the last seconds)"),
    ],
)
def test_what_decided_is_said(arriving: Flow, changes: dict[str, object], part: str) -> None:
    assert part in message_of(seen(1), found_by(seen(1), arriving, 8.2, changes), OUT)


def test_where_a_capacity_is_from_is_said() -> None:
    hinted = found(even_flow(5), capacity=capacity(33.0, CapacitySource.HINT))

    assert "a replica does 33.0/s (by the spec's hint)" in message_of(seen(1), hinted, OUT)


def test_what_is_missing_is_said() -> None:
    held = Verdict(replicas=3, reason=Reason.METRICS_UNAVAILABLE, because="it stays at 3 until that is known")

    assert message_of(seen(3), Missing(why="no samples"), held) == "no samples; it stays at 3 until that is known"


@pytest.mark.parametrize(
    ("value", "text"), [(8.24, "8.2"), (0, "0.0"), (99.94, "99.9"), (130.4, "130"), (12_345, "12,345")]
)
def test_a_figure_has_the_digits_that_matter(value: float, text: str) -> None:
    assert figure(value) == text


def test_the_numbers_are_those_of_the_decision() -> None:
    waiting = even_flow(24.0, lag=10, backlog=4, age=3.0)

    numbers = numbers_of(seen(2), found(waiting))

    assert numbers.heaviest == pytest.approx((24 / 0.85 + 48 / 60 + 24 * 3 / 60) / 4)
    assert replace(numbers, rate=round(numbers.rate, 6), heaviest=None) == Numbers(
        rate=24.0,
        lag=120,
        backlog=48,
        age=3.0,
        capacity=8.2,
        capacity_source="Measured",
        heaviest=None,
        partitions=12,
        replicas=2,
        ready=2,
        needed=4,
        keda=12,
    )


def test_numbers_without_a_capacity_are_not_known() -> None:
    numbers = numbers_of(seen(2), found(even_flow(5), capacity=None, sizing=None))

    assert (numbers.capacity, numbers.capacity_source, numbers.heaviest) == (None, "", None)


def test_an_ordinary_scaler_is_ready_and_nothing_else() -> None:
    assert conditions_of(seen(1), found(even_flow(5))) == {Condition.READY: "It decides."}


def test_a_paused_scaler_is_ready_because_helm_waits_for_that() -> None:
    assert conditions_of(seen(1, spec=spec(paused=True)), found(even_flow(5))) == {
        Condition.READY: "It measures and changes nothing, because it is paused."
    }


def test_a_scaler_without_metrics_is_not_ready() -> None:
    assert conditions_of(seen(1), Missing(why="no samples")) == {
        Condition.METRICS_UNAVAILABLE: "No samples; the replicas stay as they are."
    }


def test_a_foreign_number_is_shown() -> None:
    held = seen(6, memory=memory(foreign=ForeignChange(at=NOW, replicas=6)))

    assert conditions_of(held, found(even_flow(5)))[Condition.FOREIGN_SCALE] == (
        "Somebody else set 6 replicas; that holds for one window."
    )


def test_a_scaler_at_its_maximum_says_how_many_it_needs() -> None:
    few = seen(2, spec=spec(max_replicas=2))

    assert conditions_of(few, found_by(few, even_flow(20), 8.2, {}))[Condition.AT_MAXIMUM] == (
        "3 replicas needed, maxReplicas allows 2."
    )


def test_too_few_partitions_are_said_with_how_many_would_do() -> None:
    said = conditions_of(seen(3), found(even_flow(100, partitions=3), 33.0))

    assert said[Condition.PARTITION_BOUND] == (
        "100 records/s are more than 3 partitions let any number of replicas carry; at least 4 partitions of equal "
        "load would."
    )


def test_a_hot_partition_is_named() -> None:
    said = conditions_of(seen(3), found(flow(partition_flow(40.0), *[partition_flow(2.0)] * 11), 33.0))

    assert said[Condition.HOT_PARTITION] == f"More than one replica can do comes into {TOPIC}/0."


def test_partitions_that_do_not_move_are_named_and_counted() -> None:
    still = tuple(Partition(TOPIC, number) for number in range(5))
    names = f"{TOPIC}/0, {TOPIC}/1, {TOPIC}/2 and 2 more"

    assert conditions_of(seen(3), found(even_flow(5), still=still))[Condition.STILL_PARTITION] == (
        f"No commits while other partitions move: {names}."
    )


def test_a_doubtful_capacity_asks_for_no_partitions() -> None:
    assert conditions_of(seen(1), found(even_flow(500), withheld=True, needed=1)) == {Condition.READY: "It decides."}
