"""The operator scales a consumer's Deployment, and says why."""

from collections.abc import Iterator

import pytest
from kubernetes import client

from tests.integration.polling import seconds_until
from tests.operator_api.api_server import ApiServer
from tests.operator_api.namespaces import made_namespace
from tests.operator_api.operator_release import install_kind
from tests.operator_api.stage import SCALER, SOON_SECONDS, TARGET, Stage, set_stage

pytestmark = pytest.mark.operator_api

# At a utilization of 0.85 each of twelve partitions is 5.9 records a second of work, and a replica does 20: three
# partitions each, so four replicas.
RATE, WANTED = 60.0, 4


@pytest.fixture(scope="module")
def scaled_out(
    api_server: ApiServer, admin: client.ApiClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Consumers that had more to do than one replica can, after the operator has seen to it."""
    install_kind(api_server)
    with (
        made_namespace(api_server, admin) as namespace,
        set_stage(namespace, tmp_path_factory.mktemp("scaled-out")) as stage,
    ):
        stage.load(rate=RATE, lag=0)
        stage.make_scaler()
        stage.operator.start()
        stage.wait_replicas(WANTED)
        stage.wait_reason("ScaleOut")
        yield stage


def test_a_load_is_scaled_for_through_the_scale_subresource(scaled_out: Stage) -> None:
    managers = scaled_out.fleet.deployment(TARGET)["metadata"]["managedFields"]

    (ours,) = [each for each in managers if each["manager"] == "doorbuster-operator"]

    assert (ours["subresource"], ours["fieldsV1"]) == ("scale", {"f:spec": {"f:replicas": {}}})


def test_a_decision_can_be_read_with_its_numbers(scaled_out: Stage) -> None:
    decision = next(each for each in scaled_out.status()["decisions"] if each["reason"] == "ScaleOut")

    assert (decision["before"], decision["after"]) == (1, WANTED)
    assert decision["numbers"]["arrivalRate"] == pytest.approx(RATE, rel=0.05)
    assert (decision["numbers"]["capacity"], decision["numbers"]["capacitySource"]) == (20, "Hint")
    assert (decision["numbers"]["partitions"], decision["numbers"]["neededReplicas"]) == (12, WANTED)
    assert f"from 1 to {WANTED}" in decision["message"]
    scaled_out.wait_condition("Ready", "True")


def test_a_person_who_describes_the_scaler_reads_why(scaled_out: Stage) -> None:
    told = scaled_out.namespace.kubectl("describe", "consumerscaler", SCALER)

    assert f"from 1 to {WANTED}" in told
    assert "Keda Replicas:" in told


def test_an_event_tells_of_a_decision(scaled_out: Stage) -> None:
    seconds_until(
        lambda: "ScaleOut" in {event["reason"] for event in scaled_out.events()},
        within_seconds=SOON_SECONDS,
        what="an Event tells of it",
    )

    event = next(event for event in scaled_out.events() if event["reason"] == "ScaleOut")

    assert (event["type"], event["count"]) == ("Normal", 1)
    assert event["involvedObject"]["kind"] == "ConsumerScaler"
    assert event["involvedObject"]["uid"] == scaled_out.scaler()["metadata"]["uid"]


def test_a_scaler_never_has_a_finalizer_or_an_annotation(scaled_out: Stage) -> None:
    # P16: who uninstalls the operator first must not hang the namespace.
    scaled_out.operator.wait_ticks()

    metadata = scaled_out.scaler()["metadata"]

    assert metadata.keys() & {"finalizers", "annotations"} == set()
    # Nobody but the operator writes to it, and nothing but its status.
    written = {(each["manager"], each.get("subresource")) for each in metadata["managedFields"]}
    assert written - {("Python-urllib", None)} == {("doorbuster-operator", "status")}


def test_no_load_is_scaled_in_when_the_window_is_over(stage: Stage) -> None:
    stage.fleet.scale(TARGET, 4)
    stage.load(rate=5, lag=0)
    stage.make_scaler(scaleDown={"window": "4s"})

    stage.operator.start()

    stage.wait_replicas(1)
    stage.wait_reason("ScaleIn")


def test_what_consumers_say_about_their_work_is_their_capacity(stage: Stage) -> None:
    seconds_until(lambda: len(stage.fleet.pods(TARGET)) == 1, within_seconds=SOON_SECONDS, what="a consumer")
    # A capacity takes three intervals of a pod's life to be measured.
    stage.prometheus.scrape_seconds = 2
    # One consumer does all of it and is busy all the time: 60 a second is what it can do, and a little too much.
    stage.load(rate=RATE, lag=0)
    stage.work(rate=RATE, seconds_per_record=1 / RATE)
    stage.make_scaler(capacityHint=None)

    stage.operator.start()

    stage.wait_replicas(2)
    stage.wait_reason("ScaleOut")
    capacity = stage.status()["capacity"]
    assert (capacity["source"], capacity["recordsPerSecond"]) == ("Measured", pytest.approx(RATE, rel=0.05))


def test_a_paused_scaler_changes_nothing_until_it_goes_on(stage: Stage) -> None:
    stage.load(rate=RATE, lag=0)
    stage.make_scaler(paused=True)
    stage.operator.start()
    stage.wait_reason("Paused")
    stage.operator.wait_ticks()
    assert stage.fleet.replicas(TARGET) == 1

    stage.change_scaler(paused=False)

    stage.wait_replicas(WANTED)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(stage: Stage) -> None:
    stage.load(rate=RATE, lag=0)
    stage.make_scaler(dryRun=True)
    stage.operator.start()
    seconds_until(
        lambda: stage.status().get("desiredReplicas") == WANTED,
        within_seconds=SOON_SECONDS,
        what="it says what it would do",
    )
    stage.operator.wait_ticks()

    assert stage.fleet.replicas(TARGET) == 1
    assert stage.status()["replicas"] == 1


def test_who_scales_by_hand_wins_for_a_while_and_it_shows(stage: Stage) -> None:
    stage.load(rate=RATE, lag=0)
    stage.make_scaler()
    stage.operator.start()
    stage.wait_replicas(WANTED)
    stage.operator.wait_ticks(2)

    stage.fleet.scale(TARGET, 7)

    stage.wait_condition("ForeignScale", "True")
    stage.operator.wait_ticks()
    assert stage.fleet.replicas(TARGET) == 7
    assert stage.status()["foreignChange"]["replicas"] == 7


def test_a_status_in_which_nothing_changed_is_not_written_again(stage: Stage) -> None:
    # P16: on change, and at most once a minute.
    stage.load(rate=RATE, lag=0)
    stage.make_scaler(paused=True)
    stage.operator.start()
    stage.wait_reason("Paused")
    before = stage.scaler()["metadata"]["resourceVersion"]

    stage.operator.wait_ticks()

    assert stage.scaler()["metadata"]["resourceVersion"] == before


def test_a_target_that_is_not_there_is_named(stage: Stage) -> None:
    stage.load(rate=RATE, lag=0)
    stage.make_scaler(targetRef={"kind": "Deployment", "name": "nobody"})
    stage.operator.start()

    stage.wait_condition("Ready", "False")

    assert stage.status()["reason"] == "TargetMissing"
    assert "nobody" in stage.status()["message"]


def test_of_two_scalers_with_the_same_target_the_younger_does_nothing(stage: Stage) -> None:
    stage.load(rate=RATE, lag=0)
    stage.make_scaler()
    # Made in the same second, the name decides.
    stage.make_scaler(name="zz-younger", minReplicas=9)
    stage.operator.start()

    stage.wait_replicas(WANTED)
    stage.operator.wait_ticks(2)

    assert stage.fleet.replicas(TARGET) == WANTED
    assert stage.condition("ForeignScale")["status"] == "False"
    told = stage.scaler("zz-younger")["status"]
    assert (told["reason"], SCALER in told["message"]) == ("TargetShared", True)


def test_a_target_that_was_made_again_is_nobody_elses_number(stage: Stage) -> None:
    stage.load(rate=RATE, lag=0)
    stage.make_scaler()
    stage.operator.start()
    stage.wait_replicas(WANTED)
    before = stage.status()["targetUid"]

    stage.namespace.kubectl("delete", "deployment", TARGET)
    stage.wait_condition("Ready", "False")
    stage.fleet.deploy(TARGET, replicas=1)

    stage.wait_replicas(WANTED)
    stage.operator.wait_ticks()
    assert stage.status()["targetUid"] != before
    assert stage.condition("ForeignScale")["status"] == "False"


def test_replicas_outside_of_the_bounds_come_into_them(stage: Stage) -> None:
    stage.fleet.scale(TARGET, 9)
    stage.load(rate=RATE, lag=0)
    stage.make_scaler(maxReplicas=6)

    stage.operator.start()

    stage.wait_replicas(6)
