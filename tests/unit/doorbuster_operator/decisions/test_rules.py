from dataclasses import replace

import pytest

from doorbuster_operator.decisions.assessment import Assessment
from doorbuster_operator.decisions.rules import by_model
from doorbuster_operator.decisions.verdict import Verdict
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import Reason
from doorbuster_operator.model.memory import Change, Recommendation
from tests.unit.doorbuster_operator.decisions.seeing import (
    NOW,
    assessment,
    capacity,
    even_flow,
    memory,
    seen,
    spec,
)


def verdict(observed: Observation, found: Assessment) -> tuple[int, Reason]:
    answer = by_model(observed, found)
    return answer.replicas, answer.reason


def busy(**changes: object) -> Assessment:
    return replace(assessment(even_flow(20, lag=1), capacity=capacity(8.2)), **changes)  # type: ignore[arg-type]


QUIET = assessment(even_flow(0))


def ordered(seconds_ago: float, *, rate: float = 20.0) -> Change:
    return Change(at=NOW - seconds_ago, before=1, after=3, rate=rate)


def test_enough_replicas_stay() -> None:
    assert verdict(seen(3), busy(out=3, enough=3)) == (3, Reason.STEADY)


def test_work_without_replicas_activates_as_many_as_it_needs() -> None:
    assert verdict(seen(0, spec=spec(min_replicas=0)), busy(out=3)) == (3, Reason.ACTIVATE)


def test_work_of_a_group_of_which_nothing_is_known_is_begun_by_one() -> None:
    unknown = busy(flow=replace(even_flow(20, lag=1), members=None), out=12)

    assert verdict(seen(0, spec=spec(min_replicas=0)), unknown) == (1, Reason.ACTIVATE)


def test_one_record_is_work() -> None:
    one = assessment(even_flow(0, partitions=1, lag=1.0))

    assert verdict(seen(0, spec=spec(min_replicas=0)), one) == (1, Reason.ACTIVATE)


def test_activation_keeps_the_minimum() -> None:
    assert verdict(seen(0, spec=spec(min_replicas=2)), busy(out=1)) == (2, Reason.ACTIVATE)


def test_nothing_stays_nothing_without_work() -> None:
    assert verdict(seen(0, spec=spec(min_replicas=0)), QUIET) == (0, Reason.STEADY)


@pytest.mark.parametrize(("since", "replicas"), [(299, 1), (300, 0)])
def test_a_group_goes_to_zero_only_when_idle_for_long(since: float, replicas: int) -> None:
    idle = seen(1, spec=spec(min_replicas=0), memory=memory(idle_since=NOW - since))

    assert verdict(idle, QUIET)[0] == replicas


def test_a_group_with_a_minimum_never_goes_to_zero() -> None:
    assert verdict(seen(1, memory=memory(idle_since=NOW - 10_000)), QUIET) == (1, Reason.STEADY)


@pytest.mark.parametrize(("replicas", "after"), [(1, 2), (9, 6)])
def test_a_number_outside_of_the_bounds_comes_into_them(replicas: int, after: int) -> None:
    bounded = seen(replicas, spec=spec(min_replicas=2, max_replicas=6))

    assert verdict(bounded, busy(out=1)) == (after, Reason.OUT_OF_BOUNDS)


def test_a_minimum_above_the_partitions_is_the_specs_business() -> None:
    found = assessment(even_flow(1, partitions=3))

    assert verdict(seen(1, spec=spec(min_replicas=5)), found) == (5, Reason.OUT_OF_BOUNDS)


@pytest.mark.parametrize(("since", "reason"), [(0, Reason.REBALANCING), (59, Reason.REBALANCING)])
def test_nothing_changes_while_partitions_have_no_consumer(since: float, reason: Reason) -> None:
    rebalancing = seen(1, memory=memory(unassigned_since=NOW - since))

    assert verdict(rebalancing, busy(out=4)) == (1, reason)


def test_a_rebalance_that_does_not_end_holds_nothing_up() -> None:
    stuck = seen(1, memory=memory(unassigned_since=NOW - 60))

    assert verdict(stuck, busy(out=4)) == (4, Reason.SCALE_OUT)


LATE = memory(late_since=NOW - 30, late_age=12.0)


def test_a_model_that_is_content_with_late_records_gets_one_step_more() -> None:
    late = busy(out=4, enough=4, moving_age=20.0)

    assert verdict(seen(4, memory=LATE), late) == (6, Reason.MODEL_WRONG)


def test_there_is_no_step_above_the_last() -> None:
    late = busy(out=12, enough=12, moving_age=20.0)

    assert verdict(seen(12, memory=LATE), late) == (12, Reason.STEADY)


def test_an_unknown_capacity_is_found_out_step_by_step() -> None:
    unknown = busy(capacity=None, out=3, enough=3, moving_age=6.1)

    assert verdict(seen(3), unknown) == (4, Reason.STEP_BY_STEP)


@pytest.mark.parametrize("changes", [{"moving_age": 6.0}, {"settling": True}])
def test_no_step_is_taken_before_records_wait_or_while_the_last_one_settles(changes: dict[str, object]) -> None:
    unknown = busy(**{"capacity": None, "out": 3, "enough": 3, "moving_age": 30.0} | changes)

    assert verdict(seen(3), unknown) == (3, Reason.STEADY)


def test_more_are_ordered_at_once() -> None:
    assert verdict(seen(1), busy(out=4)) == (4, Reason.SCALE_OUT)


def test_what_was_ordered_for_this_load_is_not_ordered_again_while_it_starts() -> None:
    starting = seen(3, memory=memory(last_change=ordered(10, rate=18.0)))

    assert verdict(starting, busy(out=4, settling=True)) == (3, Reason.ALREADY_ORDERED)


def test_a_load_far_above_the_ordered_one_is_answered_at_once() -> None:
    starting = seen(3, memory=memory(last_change=ordered(10, rate=17.0)))

    assert verdict(starting, busy(out=4, settling=True)) == (4, Reason.SCALE_OUT)


def test_what_settles_without_an_order_is_no_order() -> None:
    assert verdict(seen(3), busy(out=4, settling=True)) == (4, Reason.SCALE_OUT)


@pytest.mark.parametrize(("bound", "after"), [({"max_replicas": 4}, 4), ({}, 12)])
def test_growth_ends_at_the_bounds(bound: dict[str, object], after: int) -> None:
    assert verdict(seen(1, spec=spec(**bound)), busy(out=12))[0] == after


def test_more_than_there_are_partitions_are_never_ordered() -> None:
    found = assessment(even_flow(100, partitions=3), out=12)

    assert verdict(seen(1), found) == (3, Reason.SCALE_OUT)


def scaled_in(*ago_and_replicas: tuple[float, int], **changes: object) -> Verdict:
    recommended = tuple(Recommendation(at=NOW - ago, replicas=each) for ago, each in ago_and_replicas)
    remembered = memory(recommendations=recommended, **changes)
    return by_model(seen(6, memory=remembered), busy(out=1, enough=1))


def test_fewer_are_ordered_when_they_were_enough_for_a_window() -> None:
    answer = scaled_in((120, 2), (60, 3), (0, 1))

    assert (answer.replicas, answer.reason) == (3, Reason.SCALE_IN)


@pytest.mark.parametrize(
    "changes",
    [{"watching_since": NOW - 119}, {"last_change": ordered(119)}],
    ids=["not watched for a window", "changed inside the window"],
)
def test_nobody_leaves_before_the_window_is_full(changes: dict[str, object]) -> None:
    answer = scaled_in((60, 3), (0, 1), **changes)

    assert (answer.replicas, answer.reason) == (6, Reason.SCALE_IN_WINDOW)


def test_nobody_leaves_while_all_were_needed_within_the_window() -> None:
    answer = scaled_in((80, 6), (0, 1))

    assert (answer.replicas, answer.reason) == (6, Reason.SCALE_IN_WINDOW)
    assert answer.because == "fewer would be enough; it stays at 6 for another 40 s in case they aren't"


def test_one_change_is_waited_for_where_there_would_be_two() -> None:
    assert scaled_in((100, 3), (80, 1), (0, 1)).reason is Reason.SCALE_IN_WINDOW
    assert scaled_in((100, 3), (80, 3), (0, 1)).replicas == 3


def test_nobody_leaves_while_a_change_settles() -> None:
    recommended = (Recommendation(at=NOW - 60, replicas=1), Recommendation(at=NOW, replicas=1))
    settling = busy(out=1, enough=1, settling=True)

    assert verdict(seen(6, memory=memory(recommendations=recommended)), settling) == (6, Reason.SCALE_IN_WINDOW)
