from dataclasses import replace
from datetime import UTC, datetime

from loadtests.demo.observation import Look, Pace, Told, decisions_of, moment_of
from loadtests.reports.timeline import Moment, Phase
from loadtests.witness import Attempt, Outcome
from tests.unit.loadtests.rig.clusters import decision, deployment, scaler

FIGURES = {"lag": 12.0, "oldest_age": 1.5, "paid_per_s": 90.0, "failed_per_s": 2.0, "pending": 40.0}
BEGAN = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
TRY = Attempt(
    at=1.0, key="a", user_id=1, product_id=3, outcome=Outcome.UNKNOWN, order_id=None, status=None, seconds=0.1
)


def moment(look: Look, pace: Pace = Pace()) -> Moment:  # noqa: B008  # it is frozen
    return moment_of(look, pace, seconds=8.0, phase=Phase.PEAK, note=None)


def test_a_look_with_all_answers_is_a_whole_moment() -> None:
    look = Look(figures=FIGURES, deployment=deployment(replicas=4, ready=3), scaler=scaler())

    assert moment(look, Pace(scheduled=100.0, offered=99.0, accepted=98.0)) == Moment(
        seconds=8.0, phase=Phase.PEAK, scheduled_per_s=100.0, offered_per_s=99.0, accepted_per_s=98.0, paid_per_s=90.0,
        failed_per_s=2.0, pending=40, lag=12, oldest_age_s=1.5, replicas=4, ready=3, desired=2, reason="ScaleOut",
    )  # fmt: skip


def test_what_gave_no_answer_is_not_known_and_not_zero() -> None:
    assert moment(Look(figures={}, deployment=None, scaler=None)) == Moment(seconds=8.0, phase=Phase.PEAK)


def test_no_ready_replica_is_zero_although_kubernetes_leaves_it_out() -> None:
    assert moment(Look(figures={}, deployment=deployment(replicas=1, ready=0), scaler=None)).ready == 0


def test_a_scaler_that_never_decided_has_no_reason() -> None:
    assert moment(Look(figures={}, deployment=None, scaler={"metadata": {}, "spec": {}})).reason is None


def test_decisions_are_told_in_seconds_since_the_run_began_and_older_ones_are_not_ours() -> None:
    found = decisions_of(
        scaler(decisions=[decision("2026-11-26T11:59:59Z"), decision("2026-11-26T12:01:30Z", after=4)]), began=BEGAN
    )

    assert [(each.seconds, each.before, each.after) for each in found.values()] == [(90.0, 1, 4)]


def test_a_scaler_that_was_not_read_has_no_decisions() -> None:
    assert decisions_of(None, began=BEGAN) == {}


def test_a_repeat_under_the_same_key_is_no_other_order() -> None:
    told = Told()

    assert told.add([TRY]) == (1, 0)
    assert told.add([replace(TRY, outcome=Outcome.OK, order_id="x"), replace(TRY, key="b")]) == (1, 1)
    assert told.add([replace(TRY, key="c", outcome=Outcome.SOLD_OUT)] * 2) == (1, 0)
    assert (told.offered, told.accepted, told.sold_out) == (3, 1, 1)
