"""What the operator does when what it sees, or whom it works with, fails."""

from dataclasses import replace

import pytest

from doorbuster_operator.model.capacity import CapacitySource
from doorbuster_operator.model.decision_record import Condition, Reason
from tests.unit.doorbuster_operator.simulation.closed_loop import Run, run
from tests.unit.doorbuster_operator.simulation.traffic import constant, steps
from tests.unit.doorbuster_operator.simulation.world import Shape
from tests.unit.doorbuster_operator.simulation.worlds import DELAYED, DOCUMENTS, wanted

BUSY = Shape(traffic=steps((0, 60), (200, 5)), cost=DOCUMENTS, replicas=3)
HINTED = wanted(capacity_hint=33)


def silence(running: Run) -> None:
    running.prometheus_answers = False


def answer(running: Run) -> None:
    running.prometheus_answers = True


def test_a_prometheus_that_does_not_answer_holds_and_breaks_the_window() -> None:
    running = run(BUSY, 500, spec=HINTED, events=[(240, silence), (300, answer)])

    held = running.between(241, 301)
    assert {tick.decision.record.reason for tick in held} == {Reason.METRICS_UNAVAILABLE}
    assert {tick.decision.record.after for tick in held} == {3}
    assert [change for change in running.changes if change[0] < 300 + 119] == []
    assert running.world.replicas == 1


def test_scrapes_that_fail_are_missing_and_not_zero() -> None:
    running = run(replace(BUSY, outage=(100.0, 160.0)), 200, spec=HINTED)

    held = running.between(120, 160)
    assert {tick.decision.record.reason for tick in held} == {Reason.METRICS_UNAVAILABLE}
    assert running.changes == []


def test_a_load_that_comes_while_nothing_is_known_is_answered_after_it() -> None:
    shape = Shape(traffic=steps((0, 10), (110, 60)), cost=DOCUMENTS, outage=(100.0, 160.0))

    running = run(shape, 300, spec=HINTED)

    assert {tick.replicas for tick in running.between(0, 160)} == {1}
    assert 160 <= running.changes[0][0] <= 175
    assert running.world.oldest_age() < 10


def test_a_restart_keeps_the_capacity_and_scales_nobody_in_for_a_window() -> None:
    shape = Shape(traffic=steps((0, 20), (150, 0)), cost=DELAYED)
    running = run(shape, 250)
    before = running.world.replicas

    running.restart()
    running.go_on(200)

    after = running.between(250, 450)
    assert before >= 3
    assert {tick.replicas for tick in after if tick.at <= 250 + 120} == {before}
    assert running.world.replicas == 1
    numbers = [tick.decision.record.numbers for tick in after]
    assert all(each is not None and each.capacity == pytest.approx(8.2, rel=0.1) for each in numbers)
    assert [change for change in running.changes if change[0] > 250 and change[2] > change[1]] == []


def test_a_restart_in_the_middle_of_a_start_orders_nothing_twice() -> None:
    shape = Shape(traffic=steps((0, 0), (30, 60)), cost=DOCUMENTS)
    running = run(shape, 46, spec=HINTED)
    ordered = running.changes

    running.restart()
    running.go_on(15)

    assert ordered != []
    assert running.changes == ordered


def test_a_number_set_by_hand_holds_for_a_window_and_is_then_corrected() -> None:
    shape = Shape(traffic=constant(20), cost=DOCUMENTS)

    running = run(shape, 500, spec=HINTED, events=[(200, lambda running: running.world.scale(6))])

    held = running.between(201, 321)
    assert {tick.decision.record.reason for tick in held} == {Reason.FOREIGN_SCALE}
    assert all(Condition.FOREIGN_SCALE in tick.decision.conditions for tick in held)
    assert {tick.replicas for tick in held} == {6}
    assert [after for _, _, after in running.changes] == [1]
    assert running.reasons[Reason.FOREIGN_SCALE] == len(held)


def test_too_few_set_by_hand_are_corrected_after_the_window() -> None:
    shape = Shape(traffic=constant(60), cost=DOCUMENTS, replicas=3)

    running = run(shape, 400, spec=HINTED, events=[(100, lambda running: running.world.scale(1))])

    assert {tick.replicas for tick in running.between(101, 221)} == {1}
    assert running.changes[0][0] == 225
    assert running.world.replicas >= 3


def test_a_pause_holds_until_it_is_over() -> None:
    def resume(running: Run) -> None:
        running.spec = HINTED

    shape = Shape(traffic=steps((50, 60)), cost=DOCUMENTS)

    running = run(shape, 160, spec=wanted(capacity_hint=33, paused=True), events=[(120, resume)])

    assert {tick.decision.record.reason for tick in running.between(0, 121)} == {Reason.PAUSED}
    assert running.changes[0][0] == 125


def test_a_dry_run_scales_nobody_and_says_what_it_would() -> None:
    shape = Shape(traffic=steps((50, 60)), cost=DOCUMENTS)

    running = run(shape, 120, spec=wanted(capacity_hint=33, dry_run=True))

    assert running.world.replicas == 1
    assert running.ticks[-1].decision.record.after >= 3
    assert len(running.memory.records) <= 10


def test_replicas_that_never_become_ready_do_not_hold_everything_up() -> None:
    shape = Shape(traffic=steps((60, 20)), cost=DELAYED, broken_from=0.0)

    running = run(shape, 400)

    ordered = [at for at, _, _ in running.changes]
    assert len(ordered) >= 2
    assert 100 <= ordered[1] - ordered[0] <= 140


def test_a_slower_release_forgets_what_was_learned_of_the_one_before() -> None:
    shape = Shape(traffic=constant(20), cost=DOCUMENTS)

    running = run(shape, 400, events=[(200, lambda running: running.world.roll_out(DELAYED))])

    assert {tick.replicas for tick in running.between(0, 200)} == {1}
    assert 3 <= running.world.replicas <= 6
    assert running.memory.capacity is not None
    assert running.memory.capacity.source is CapacitySource.MEASURED
    assert running.memory.capacity.records_per_second == pytest.approx(8.2, rel=0.1)
    assert running.world.oldest_age() < 10


def test_a_partition_that_does_not_move_is_shown_and_asks_for_nobody() -> None:
    shape = Shape(traffic=constant(20), cost=DOCUMENTS, stuck=frozenset({3}))

    running = run(shape, 240, spec=HINTED)

    assert running.changes == []
    assert running.world.oldest_age() > 200
    said = running.ticks[-1].decision.conditions[Condition.STILL_PARTITION]
    assert said == "No commits while other partitions move: order-created/3."


def test_nobody_leaves_while_records_wait_in_a_partition_that_does_not_move() -> None:
    running = run(replace(BUSY, stuck=frozenset({3})), 420, spec=HINTED)

    assert [change for change in running.changes if change[2] < change[1]] == []
    assert running.world.replicas >= 3


def test_rebalances_that_take_long_cost_time_but_nobody_flaps() -> None:
    shape = Shape(traffic=steps((30, 60)), cost=DOCUMENTS, eager=True, rebalance_seconds=15.0)

    running = run(shape, 400, spec=wanted(capacity_hint=33, assignor="range"))

    assert running.reversals <= 1
    assert running.reasons[Reason.REBALANCING] > 0
    assert running.world.oldest_age() < 5
