from dataclasses import replace

from doorbuster_operator.decisions.assessment import Assessment
from doorbuster_operator.decisions.lateness import (
    all_must_stay,
    is_late,
    lateness,
    least_by_experience,
    model_is_wrong,
)
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import DecisionRecord, Reason
from tests.unit.doorbuster_operator.decisions.seeing import NOW, assessment, even_flow, memory, numbers, seen, spec


def waiting(age: float, **changes: object) -> Assessment:
    return assessment(even_flow(20, lag=50, age=age), **changes)


def late_for(seconds: float, *, age: float) -> Observation:
    return seen(1, memory=memory(late_since=NOW - seconds, late_age=age))


def test_late_is_later_than_promised_and_than_a_commit_explains() -> None:
    assert not is_late(seen(1), waiting(11.0))
    assert is_late(seen(1), waiting(11.1))


PATIENT = spec(slo={"oldest_record_age": 240.0}, commit_interval=100.0)


def test_an_age_as_long_as_the_history_is_late_whatever_is_promised() -> None:
    assert not is_late(seen(1, spec=PATIENT), waiting(299.0))
    assert is_late(seen(1, spec=PATIENT), waiting(300.0))
    assert all_must_stay(seen(1, spec=PATIENT), waiting(300.0))


def test_a_history_that_has_just_begun_makes_nobody_leave_and_nobody_come() -> None:
    begun = assessment(replace(even_flow(20, lag=50, age=60.0), seconds=60.0))

    assert all_must_stay(seen(1, spec=PATIENT), begun)
    assert not is_late(seen(1, spec=PATIENT), begun)


def test_records_that_wait_where_nothing_moves_let_nobody_leave_and_ask_for_nobody() -> None:
    hanging = waiting(60.0, moving_age=1.0)

    assert all_must_stay(seen(1), hanging)
    assert not is_late(seen(1), hanging)


def test_a_group_without_lag_may_shrink_whatever_its_history() -> None:
    assert not all_must_stay(seen(1), assessment(replace(even_flow(0), seconds=0.0)))


def test_patience_begins_when_records_become_late() -> None:
    assert lateness(seen(1), waiting(12.0)) == (NOW, 12.0)
    assert lateness(late_for(10, age=12.0), waiting(15.0)) == (NOW - 10, 12.0)


def test_patience_ends_when_records_are_in_time() -> None:
    assert lateness(late_for(10, age=12.0), waiting(5.0)) == (None, 0.0)


def test_the_model_is_wrong_when_content_for_thirty_seconds_of_late_records() -> None:
    assert not model_is_wrong(late_for(29, age=12.0), waiting(20.0))
    assert model_is_wrong(late_for(30, age=12.0), waiting(20.0))


def test_the_model_is_not_wrong_when_records_catch_up() -> None:
    assert not model_is_wrong(late_for(30, age=25.0), waiting(20.0))


def test_the_model_is_not_wrong_when_it_asks_for_more_itself() -> None:
    assert not model_is_wrong(late_for(30, age=12.0), waiting(20.0, out=2))


def test_the_model_is_not_wrong_while_a_change_settles() -> None:
    assert not model_is_wrong(late_for(30, age=12.0), waiting(20.0, settling=True))


def test_patience_begins_again_when_it_ends_and_whenever_the_model_has_a_reason() -> None:
    assert lateness(late_for(30, age=12.0), waiting(20.0)) == (NOW, 20.0)
    assert lateness(late_for(10, age=12.0), waiting(20.0, out=2)) == (NOW, 20.0)
    assert lateness(late_for(10, age=12.0), waiting(20.0, settling=True)) == (NOW, 20.0)


def wrong(seconds_ago: float, *, rate: float = 20.0) -> Observation:
    record = DecisionRecord(
        at=NOW - seconds_ago, before=2, after=3, reason=Reason.MODEL_WRONG, message="", numbers=numbers(rate)
    )
    return seen(3, memory=memory(records=(record,)))


def test_a_model_that_was_wrong_at_this_load_is_not_believed_for_a_while() -> None:
    assert least_by_experience(wrong(599), waiting(1.0)) == 3
    assert least_by_experience(wrong(600), waiting(1.0)) == 0
    assert least_by_experience(wrong(-600), waiting(1.0)) == 0


def test_a_lower_load_is_another_one() -> None:
    assert least_by_experience(wrong(10, rate=25.0), waiting(1.0)) == 3
    assert least_by_experience(wrong(10, rate=25.1), waiting(1.0)) == 0
