"""The kind ConsumerScaler as the API server sees it: what it takes, what it refuses and says, and what it keeps."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from pydantic import BaseModel

from doorbuster_operator.model.capacity import CapacitySource
from doorbuster_operator.model.decision_record import Condition, Reason
from doorbuster_operator.model.spec import ScalerSpec
from doorbuster_operator.reconcilers.status import (
    CapacityStatus,
    ChangeStatus,
    ConditionStatus,
    DecisionStatus,
    ForeignChangeStatus,
    NumbersStatus,
    Status,
    Trouble,
    status_json,
)
from tests.operator_api.api_server import ApiServer
from tests.operator_api.namespaces import Namespace
from tests.operator_api.operator_release import API, CHART
from tests.operator_api.rest import Document, Refused
from tests.operator_api.stage import GROUP, SCALER, TARGET, manifest

pytestmark = pytest.mark.operator_api

EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
AT = 1_764_000_000.0

FULL = {
    "assignor": "cooperative-sticky",
    "slo": {"oldestRecordAge": "10s", "drainTime": "1m"},
    "utilization": 0.85,
    "capacityHint": 33,
    "commitInterval": "250ms",
    "idle": {"after": "5m"},
    "scaleDown": {"window": "2m"},
    "paused": False,
    "dryRun": True,
}


@pytest.fixture
def home(namespace: Namespace, scalers_known: ApiServer) -> Namespace:
    """A namespace on a server that knows ConsumerScalers."""
    assert namespace.server is scalers_known
    return namespace


def scalers(namespace: Namespace) -> str:
    return f"/apis/{API}/namespaces/{namespace.name}/consumerscalers"


def made(namespace: Namespace, document: Document) -> Document:
    """Make the object as `kubectl create` does, which asks for strict validation."""
    return namespace.server.rest.post(f"{scalers(namespace)}?fieldValidation=Strict", document)


def refusal_of(namespace: Namespace, document: Document) -> str:
    with pytest.raises(Refused) as refusal:
        made(namespace, document)
    assert refusal.value.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    return str(json.loads(refusal.value.message)["message"])


def write_status(namespace: Namespace, status: Status) -> Document:
    """Make a scaler with a status; return the status that was sent."""
    made(namespace, manifest())
    sent = dict(status_json(status))
    namespace.server.rest.patch(f"{scalers(namespace)}/{SCALER}/status?fieldValidation=Strict", {"status": sent})
    return sent


@pytest.mark.parametrize("fields", [{}, FULL, {"minReplicas": 0, "maxReplicas": 1}], ids=["least", "full", "to-zero"])
def test_what_is_right_is_taken(home: Namespace, fields: Document) -> None:
    assert made(home, manifest(**fields))["spec"].items() >= fields.items()


def test_what_is_not_said_has_a_default(home: Namespace) -> None:
    stored = made(home, manifest())["spec"]

    # As the operator reads it, which knows the same defaults.
    assert ScalerSpec.model_validate(stored) == ScalerSpec.model_validate(manifest()["spec"])
    assert (stored["utilization"], stored["slo"]) == (0.85, {"oldestRecordAge": "10s", "drainTime": "60s"})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_taken(home: Namespace, example: Path) -> None:
    answer = home.try_kubectl("create", "--validate=strict", "--filename", example)

    assert (answer.ok, answer.stderr) == (True, "")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"minReplicas": 5, "maxReplicas": 4}, "minReplicas"),
        ({"minReplicas": -1}, "spec.minReplicas"),
        ({"maxReplicas": 0}, "spec.maxReplicas"),
        ({"utilization": 0}, "spec.utilization"),
        ({"utilization": 1.01}, "spec.utilization"),
        ({"slo": {"oldestRecordAge": "soon"}}, "spec.slo.oldestRecordAge"),
        ({"slo": {"drainTime": "60"}}, "spec.slo.drainTime"),
        ({"scaleDown": {"window": "2 minutes"}}, "spec.scaleDown.window"),
        ({"slo": {"oldestRecordAge": "4m1s"}}, "must be at most 4m"),
        ({"slo": {"oldestRecordAge": "9999999999999999999h"}}, "spec.slo.oldestRecordAge"),
        ({"scaleDown": {"window": "61m"}}, "must be at most 1h"),
        ({"commitInterval": "-1s"}, "spec.commitInterval"),
        ({"capacityHint": 0}, "spec.capacityHint"),
        ({"topics": []}, "spec.topics"),
        ({"consumerGroup": ""}, "spec.consumerGroup"),
        ({"assignor": "random"}, "spec.assignor"),
        ({"targetRef": {"kind": "StatefulSet", "name": "x"}}, "spec.targetRef.kind"),
        ({"targetRef": {"kind": "Deployment"}}, "spec.targetRef.name"),
        ({"utilisation": 0.5}, 'unknown field "spec.utilisation"'),
        ({"slo": {"age": "10s"}}, 'unknown field "spec.slo.age"'),
    ],
)
def test_what_is_wrong_is_refused_by_the_name_of_its_field(home: Namespace, fields: Document, said: str) -> None:
    assert said in refusal_of(home, manifest(**fields))


@pytest.mark.parametrize("field", ["targetRef", "consumerGroup", "topics", "maxReplicas"])
def test_what_is_missing_is_named(home: Namespace, field: str) -> None:
    document = manifest()
    del document["spec"][field]

    assert f"spec.{field}: Required value" in refusal_of(home, document)


def full_status() -> Status:
    """A status that has every field."""
    numbers = NumbersStatus(
        arrival_rate=101.5, lag=5000, backlog=4000, oldest_record_age=50.5, capacity=20.0, capacity_source="Hint",
        heaviest_load=17.1, partitions=12, replicas=1, ready_replicas=1, needed_replicas=12, keda_replicas=12,
    )  # fmt: skip
    decision = DecisionStatus(at=AT, before=1, after=12, reason=Reason.SCALE_OUT, message="why", numbers=numbers)
    condition = ConditionStatus(
        type=Condition.READY, status="True", reason="Deciding", message="fine", last_transition_time=AT,
        observed_generation=3,
    )  # fmt: skip
    return Status(
        observed_generation=3, replicas=1, ready_replicas=1, desired_replicas=12, needed_replicas=12,
        expected_replicas=1, reason=Reason.SCALE_OUT, message="why", target_uid="2f1c", lag=5000,
        oldest_record_age=50.5, arrival_rate=101.5,
        capacity=CapacityStatus(
            records_per_second=20.0, source=CapacitySource.LEARNED, measured_at=AT, pod_template="abc"
        ),
        last_change=ChangeStatus(at=AT, before=1, after=12, arrival_rate=101.5),
        foreign_change=ForeignChangeStatus(at=AT, replicas=3),
        conditions=(condition,), decisions=(decision,),
    )  # fmt: skip


def parts_of(part: BaseModel) -> Iterator[BaseModel]:
    """A part of a status and all parts in it."""
    yield part
    for value in dict(part).values():
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, BaseModel):
                yield from parts_of(each)


def test_the_full_status_is_full() -> None:
    empty = [
        (type(part), name) for part in parts_of(full_status()) for name, value in part if value is None or value == ()
    ]

    assert empty == []


def test_every_field_of_the_status_is_kept(home: Namespace) -> None:
    sent = write_status(home, full_status())

    assert home.server.rest.get(f"{scalers(home)}/{SCALER}")["status"] == json.loads(json.dumps(sent))


@pytest.mark.parametrize("reason", [*Reason, *Trouble])
def test_every_reason_is_kept(home: Namespace, reason: Reason | Trouble) -> None:
    sent = write_status(home, full_status().model_copy(update={"reason": str(reason)}))

    assert home.server.rest.get(f"{scalers(home)}/{SCALER}")["status"]["reason"] == sent["reason"]


def test_every_condition_can_be_waited_for(home: Namespace) -> None:
    (one,) = full_status().conditions
    every = tuple(one.model_copy(update={"type": str(condition)}) for condition in Condition)
    write_status(home, full_status().model_copy(update={"conditions": every}))

    flags = [f"--for=condition={condition}" for condition in Condition]
    home.kubectl("wait", *flags, "--timeout=5s", f"consumerscaler/{SCALER}")


def test_a_list_shows_what_a_person_wants_to_know_first(home: Namespace) -> None:
    write_status(home, full_status())

    heading, row = home.kubectl("get", "consumerscalers").splitlines()

    assert heading.split() == ["NAME", "TARGET", "GROUP", "REPLICAS", "DESIRED", "LAG", "OLDEST", "REASON", "AGE"]
    assert row.split()[:-1] == [SCALER, TARGET, GROUP, "1", "12", "5000", "50.5s", "ScaleOut"]


def test_the_spec_can_be_explained(home: Namespace) -> None:
    told = home.kubectl("explain", "consumerscaler.spec", "--recursive")

    assert all(f"{field}\t<" in told for field in manifest(**FULL)["spec"])
