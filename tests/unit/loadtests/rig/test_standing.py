import pytest

from loadtests.rig.standing import Standing, Work, at_work, restless, standing_of, unfit
from tests.unit.loadtests.rig.clusters import Object, deployment, scaler, slow

IDLE = Work(outbox=0, sagas=0, deliveries=0, lag=0)


def standing(*workloads: Object, scalers: tuple[Object, ...] = ()) -> Standing:
    return standing_of(workloads, scalers)


def test_a_cluster_at_rest_is_not_in_the_way() -> None:
    found = standing(deployment(), deployment("apps-api", replicas=2), scalers=(scaler(),))

    assert unfit(found) == []
    assert restless(found, IDLE) == []


def test_a_fault_is_seen_where_it_is_set_and_not_in_a_metric() -> None:
    assert unfit(standing(slow(deployment(), "30ms"))) == ["apps-consumer-stock has a fault: delay per record 30ms"]


def test_every_kind_of_fault_is_seen_in_every_process() -> None:
    relay, stock = deployment("apps-relay"), slow(deployment(), "30ms")
    set_fault(relay, "POISON", "true")
    set_fault(stock, "ERROR_RATE", "0.25")

    assert unfit(standing(relay, stock)) == [
        "apps-relay has a fault: poison true",
        "apps-consumer-stock has a fault: delay per record 30ms, error rate 0.25",
    ]


def set_fault(found: Object, name: str, value: str) -> None:
    variable = {"name": f"DOORBUSTER_FAULTS__{name}", "value": value}
    found["spec"]["template"]["spec"]["containers"][0]["env"].append(variable)


def test_paused_scalers_are_named() -> None:
    assert unfit(standing(deployment(), scalers=(scaler(paused=True), scaler("payment")))) == ["paused scalers: stock"]


def test_a_cluster_without_the_consumer_is_unfit() -> None:
    assert unfit(standing()) == ["there is no Deployment apps-consumer-stock"]


def test_a_replica_that_is_not_ready_is_waited_for() -> None:
    assert restless(standing(deployment(), deployment("apps-api", replicas=2, ready=1)), IDLE) == [
        "not ready: apps-api"
    ]


def test_pods_of_an_older_revision_are_waited_for() -> None:
    found = deployment()
    found["status"]["replicas"] = 2

    assert restless(standing(found), IDLE) == ["not ready: apps-consumer-stock"]


def test_a_change_that_nobody_has_seen_yet_is_waited_for() -> None:
    found = deployment()
    found["metadata"]["generation"] = 5

    assert restless(standing(found), IDLE) == ["not ready: apps-consumer-stock"]


def test_more_than_one_replica_is_waited_for() -> None:
    assert restless(standing(deployment(replicas=3)), IDLE) == ["apps-consumer-stock has 3 replicas instead of 1"]


@pytest.mark.parametrize(
    ("work", "missing"),
    [
        (Work(outbox=2, sagas=0, deliveries=0, lag=0), ["2 messages in the outbox"]),
        (Work(outbox=0, sagas=1200, deliveries=3, lag=0), ["1,200 open sagas", "3 deliveries that are due"]),
        (Work(outbox=0, sagas=0, deliveries=0, lag=None), ["records of lag: not known"]),
        (IDLE, []),
    ],
)
def test_what_somebody_works_on_is_counted_and_what_is_not_known_counts(work: Work, missing: list[str]) -> None:
    assert at_work(work) == missing
