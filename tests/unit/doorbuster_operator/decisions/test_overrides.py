from doorbuster_operator.decisions.overrides import notice_target, overridden
from doorbuster_operator.model.decision_record import DecisionRecord, Reason
from doorbuster_operator.model.memory import Change, ForeignChange, ScalerMemory
from tests.unit.doorbuster_operator.decisions.seeing import NOW, memory, seen, spec


def order(before: int, after: int, *, reason: Reason = Reason.SCALE_OUT) -> DecisionRecord:
    return DecisionRecord(at=NOW - 5, before=before, after=after, reason=reason, message="", numbers=None)


def test_a_target_that_was_never_seen_is_taken_as_it_is() -> None:
    noticed = notice_target(seen(3, memory=memory()))

    assert (noticed.expected_replicas, noticed.foreign) == (3, None)


def test_another_number_than_ours_is_somebody_elses() -> None:
    noticed = notice_target(seen(6, memory=memory(expected_replicas=4)))

    assert noticed == memory(expected_replicas=6, foreign=ForeignChange(at=NOW, replicas=6), disturbed_at=NOW)


def test_an_order_whose_answer_was_lost_is_ours() -> None:
    noticed = notice_target(seen(4, memory=memory(expected_replicas=1, records=(order(1, 4),))))

    assert noticed.foreign is None
    assert noticed.expected_replicas == 4
    assert noticed.last_change == Change(at=NOW - 5, before=1, after=4, rate=0.0)


def test_a_number_that_we_only_left_alone_is_no_order() -> None:
    steady = order(4, 4, reason=Reason.STEADY)

    assert notice_target(seen(4, memory=memory(expected_replicas=2, records=(steady,)))).foreign is not None


def test_a_foreign_number_holds_for_a_window() -> None:
    def after(seconds: float) -> ScalerMemory:
        foreign = ForeignChange(at=NOW - seconds, replicas=6)
        return notice_target(seen(6, memory=memory(expected_replicas=6, foreign=foreign)))

    assert after(119).foreign is not None
    assert after(120).foreign is None


def test_scaling_again_by_hand_begins_another_window() -> None:
    foreign = ForeignChange(at=NOW - 100, replicas=6)

    noticed = notice_target(seen(8, memory=memory(expected_replicas=6, foreign=foreign)))

    assert noticed.foreign == ForeignChange(at=NOW, replicas=8)


def test_whoever_scales_during_a_pause_is_not_overruled_after_it_for_a_foreign_number() -> None:
    noticed = notice_target(seen(8, spec=spec(paused=True), memory=memory(expected_replicas=6)))

    assert (noticed.expected_replicas, noticed.foreign, noticed.disturbed_at) == (8, None, NOW)


def test_windows_begin_anew_in_a_pause() -> None:
    before = memory(expected_replicas=6, idle_since=NOW - 900, disturbed_at=NOW - 900)

    noticed = notice_target(seen(6, spec=spec(paused=True), memory=before))

    assert (noticed.watching_since, noticed.idle_since, noticed.disturbed_at) == (NOW, None, NOW - 900)


def test_a_pause_holds_what_there_is() -> None:
    verdict = overridden(seen(20, spec=spec(paused=True)))

    assert verdict is not None
    assert (verdict.replicas, verdict.reason) == (20, Reason.PAUSED)


def test_a_foreign_number_says_for_how_long_it_holds() -> None:
    foreign = ForeignChange(at=NOW - 100, replicas=6)

    verdict = overridden(seen(6, memory=memory(expected_replicas=6, foreign=foreign)))

    assert verdict is not None
    assert (verdict.replicas, verdict.reason) == (6, Reason.FOREIGN_SCALE)
    assert verdict.because == "somebody else set 6, which is left alone for another 20 s"


def test_nothing_overrides_an_ordinary_target() -> None:
    assert overridden(seen(6)) is None
