"""What isn't known is never zero: without metrics the operator holds, says so, and its ticks go on."""

import time

import pytest

from tests.integration.polling import seconds_until
from tests.operator_api.fake_prometheus import Behaviour
from tests.operator_api.operator_process import TICK_SECONDS
from tests.operator_api.stage import SOON_SECONDS, TARGET, Stage

pytestmark = pytest.mark.operator_api

# A tick waits for its calls for half of its time at most (P16); the rest is for a machine with other work.
LONGEST_TICK_SECONDS = TICK_SECONDS * 3
SHORT_WINDOW = {"window": "1s"}


@pytest.fixture
def idle(stage: Stage) -> Stage:
    """Four replicas that have nothing to do: whoever took "unknown" for zero would scale them in at once."""
    stage.fleet.scale(TARGET, 4)
    stage.make_scaler(scaleDown=SHORT_WINDOW)
    return stage


def assert_holds(stage: Stage) -> None:
    stage.wait_condition("MetricsUnavailable", "True")
    stage.operator.wait_ticks()
    assert stage.fleet.replicas(TARGET) == 4
    assert stage.operator.alive()


def test_a_group_that_nobody_has_measured_is_left_alone(idle: Stage) -> None:
    idle.operator.start()

    assert_holds(idle)


def test_a_prometheus_with_an_error_changes_nothing(idle: Stage) -> None:
    idle.load(rate=0, lag=0)
    idle.prometheus.behaviour = Behaviour.FAIL
    idle.operator.start()

    assert_holds(idle)


def test_scrapes_that_have_ended_are_not_taken_for_news(idle: Stage) -> None:
    idle.prometheus.series = idle.load_of(rate=0, lag=0, until=time.time() - 60).series()
    idle.operator.start()

    assert_holds(idle)


def test_a_prometheus_that_never_answers_does_not_stop_the_ticks(idle: Stage) -> None:
    idle.load(rate=0, lag=0)
    idle.prometheus.behaviour = Behaviour.HANG
    idle.operator.start()
    began = time.monotonic()

    idle.operator.wait_ticks(3)

    assert time.monotonic() - began < 3 * LONGEST_TICK_SECONDS
    assert_holds(idle)


def test_it_decides_again_when_metrics_are_back(idle: Stage) -> None:
    idle.prometheus.behaviour = Behaviour.HANG
    idle.operator.start()
    idle.wait_condition("MetricsUnavailable", "True")

    idle.prometheus.behaviour = Behaviour.ANSWER
    idle.prometheus.release()
    idle.load(rate=100, lag=0)

    idle.wait_condition("MetricsUnavailable", "False")
    seconds_until(lambda: idle.fleet.replicas(TARGET) > 4, within_seconds=SOON_SECONDS, what="it scales out")
