"""The operator comes and goes: nothing depends on its being there, and nothing is forgotten that matters."""

import time
from collections.abc import Iterator

import pytest

from tests.integration.polling import seconds_until
from tests.operator_api.operator_process import Operator, operator_process
from tests.operator_api.operator_release import install_kind, remove_kind
from tests.operator_api.stage import SCALER, SOON_SECONDS, TARGET, Stage

pytestmark = pytest.mark.operator_api

RATE, WANTED = 60.0, 4
# Long enough to be told from none, short enough to wait for.
WINDOW_SECONDS = 6.0


@pytest.fixture
def second(stage: Stage) -> Iterator[Operator]:
    """Another operator of the same release, not started yet."""
    with operator_process(
        stage.folder,
        namespace=stage.namespace.name,
        kubeconfig=stage.kubeconfig,
        prometheus=stage.prometheus.address,
        identity="second",
    ) as other:
        yield other


def leads(operator: Operator) -> bool:
    return operator.metric("operator_leader") == 1


def test_sigterm_ends_it_well(stage: Stage) -> None:
    stage.operator.start()

    assert stage.operator.stop() == 0


def test_a_scaler_can_be_deleted_while_no_operator_runs(stage: Stage) -> None:
    stage.load(rate=RATE, lag=0)
    stage.make_scaler()
    stage.operator.start()
    stage.wait_replicas(WANTED)
    stage.operator.stop()

    stage.namespace.kubectl("delete", "consumerscaler", SCALER, "--timeout=5s")

    assert stage.namespace.kubectl("get", "consumerscalers", "--output=name") == ""


def test_a_killed_operator_goes_on_from_the_status(stage: Stage) -> None:
    stage.load(rate=RATE, lag=0)
    stage.make_scaler()
    stage.operator.start()
    stage.wait_replicas(WANTED)
    seconds_until(
        lambda: stage.status().get("expectedReplicas") == WANTED, within_seconds=SOON_SECONDS, what="it is remembered"
    )
    before = stage.status()
    stage.operator.child.kill()

    stage.operator.start()
    stage.operator.wait_ticks()

    after = stage.status()
    assert (after["lastChange"], after["expectedReplicas"]) == (before["lastChange"], WANTED)
    assert [each for each in after["decisions"] if each in before["decisions"]] == before["decisions"]
    # Its own number isn't taken for somebody else's.
    assert stage.condition("ForeignScale")["status"] == "False"
    assert stage.fleet.replicas(TARGET) == WANTED


def test_a_restarted_operator_scales_in_only_after_a_window_of_its_own(stage: Stage) -> None:
    stage.fleet.scale(TARGET, 4)
    stage.load(rate=5, lag=0)
    stage.make_scaler(scaleDown={"window": f"{WINDOW_SECONDS:.0f}s"})
    stage.operator.start()
    stage.wait_reason("ScaleInWindow")
    stage.operator.child.kill()
    assert stage.fleet.replicas(TARGET) == 4

    began = time.monotonic()
    stage.operator.start()
    stage.wait_replicas(1)

    assert time.monotonic() - began >= WINDOW_SECONDS


def test_an_operator_that_is_there_before_its_kind_waits_for_it(stage: Stage) -> None:
    remove_kind(stage.namespace.server)
    stage.load(rate=RATE, lag=0)
    stage.operator.launch()
    seconds_until(stage.operator.alive, within_seconds=SOON_SECONDS, what="it is alive without its kind")

    install_kind(stage.namespace.server)
    stage.make_scaler()

    stage.wait_replicas(WANTED)


def test_an_api_server_that_is_away_for_a_while_is_waited_for(stage: Stage) -> None:
    stage.load(rate=5, lag=0)
    stage.make_scaler()
    stage.operator.start()
    seconds_until(lambda: leads(stage.operator), within_seconds=SOON_SECONDS, what="it leads")

    with stage.namespace.server.interrupted():
        # Who doesn't know whether the Lease is still its own must not act.
        seconds_until(lambda: not leads(stage.operator), within_seconds=SOON_SECONDS, what="it doesn't lead")
        stage.load(rate=RATE, lag=0)
        stage.operator.wait_ticks()
        assert stage.operator.alive()

    stage.wait_replicas(WANTED)


def test_of_two_operators_one_acts(stage: Stage, second: Operator) -> None:
    stage.operator.start()
    seconds_until(lambda: leads(stage.operator), within_seconds=SOON_SECONDS, what="the first leads")
    second.start()
    stage.load(rate=RATE, lag=0)
    stage.make_scaler()
    stage.wait_replicas(WANTED)
    second.wait_ticks()

    assert (leads(stage.operator), leads(second)) == (True, False)
    # The other one hasn't even decided anything.
    assert (stage.operator.metric("scaler_decisions_total") or 0) > 0
    assert second.metric("scaler_decisions_total") is None
    holder = stage.namespace.kubectl("get", "lease", "operator", "--output=jsonpath={.spec.holderIdentity}")
    assert holder == "first"


def test_the_second_operator_takes_over_when_the_first_ends(stage: Stage, second: Operator) -> None:
    stage.operator.start()
    seconds_until(lambda: leads(stage.operator), within_seconds=SOON_SECONDS, what="the first leads")
    second.start()
    stage.load(rate=RATE, lag=0)

    assert stage.operator.stop() == 0
    stage.make_scaler()

    seconds_until(lambda: leads(second), within_seconds=SOON_SECONDS, what="the second leads")
    stage.wait_replicas(WANTED)
