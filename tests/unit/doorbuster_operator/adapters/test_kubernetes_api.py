"""The way to the API server: one attempt, a bounded time, and a sentence for everything that fails."""

import threading
from pathlib import Path

import pytest

from doorbuster_operator.adapters.kubernetes_api import (
    ObjectChanged,
    ObjectMissing,
    PatchUnfit,
    connected,
    object_path,
)
from doorbuster_operator.adapters.kubernetes_workloads import KubernetesWorkloads
from doorbuster_operator.ports import ClusterUnavailable, TargetChanged
from tests.ports import free_port
from tests.unit.doorbuster_operator.adapters.api_servers import api_at, api_that, body_of, document, refusal
from tests.unit.doorbuster_operator.adapters.http_server import Handler, Reply, replying

BRIEFLY = 0.2
PATH = object_path("/api/v1", "n", "pods", "p")


def problem_with(reply: Reply, *, seconds: float = 5.0) -> ClusterUnavailable:
    with api_that(reply, seconds=seconds) as api, pytest.raises(ClusterUnavailable) as no:
        api.read(PATH)
    return no.value


def test_the_user_and_the_manager_of_fields_are_told() -> None:
    seen: list[tuple[str, str, str | None, object]] = []

    def reply(handler: Handler) -> None:
        seen.append((handler.command, handler.path, handler.headers["Authorization"], body_of(handler)))
        assert handler.headers["Content-Type"] == "application/merge-patch+json"
        document({})(handler)

    with api_that(reply) as api:
        api.patch(PATH, {"spec": {"replicas": 0}, "gone": None})

    path = f"{PATH}?fieldManager=doorbuster-operator"
    assert seen == [("PATCH", path, "Bearer of-a-test", {"spec": {"replicas": 0}, "gone": None})]


def test_what_isnt_there_is_missing() -> None:
    problem = problem_with(refusal(404, 'pods "p" not found'))

    assert isinstance(problem, ObjectMissing)
    assert str(problem) == 'The API server answers GET /api/v1/namespaces/n/pods/p with status 404: pods "p" not found'


def test_what_somebody_else_changed_is_changed() -> None:
    assert isinstance(problem_with(refusal(409, "the object has been modified")), ObjectChanged)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_an_error_is_told_after_one_attempt(status: int) -> None:
    requests: list[str] = []

    def reply(handler: Handler) -> None:
        requests.append(handler.path)
        handler.send_response(status)
        handler.send_header("Retry-After", "0")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    problem = problem_with(reply)

    assert str(problem) == f"The API server answers GET {PATH} with status {status}."
    assert not isinstance(problem, ObjectMissing | ObjectChanged)
    assert requests == [PATH]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null"])
def test_an_answer_that_is_no_object_is_none(body: bytes) -> None:
    assert str(problem_with(replying(200, body))) == f"The API server's answer to GET {PATH} is no object."


def test_nobody_listens() -> None:
    with api_at(f"http://127.0.0.1:{free_port()}") as api, pytest.raises(ClusterUnavailable) as no:
        api.read(PATH)

    assert str(no.value) == f"The API server doesn't answer GET {PATH}."


def test_no_answer_in_time_is_none() -> None:
    ended = threading.Event()
    try:
        problem = problem_with(lambda _: _wait(ended), seconds=BRIEFLY)
    finally:
        ended.set()

    assert str(problem) == f"The API server doesn't answer GET {PATH} in time."


def _wait(ended: threading.Event) -> None:
    ended.wait(5)


def test_a_connection_that_breaks_is_no_answer() -> None:
    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.close_connection = True

    assert str(problem_with(reply)) == f"The API server doesn't answer GET {PATH}."


def test_names_cant_leave_their_place_in_a_path() -> None:
    assert object_path("/api/v1", "n", "pods", "../secrets?x") == "/api/v1/namespaces/n/pods/..%2Fsecrets%3Fx"


def test_a_kubeconfig_that_isnt_there_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(ClusterUnavailable, match="Where the API server is can't be read: "),
        connected(tmp_path / "nothing", request_seconds=1),
    ):
        pass


def test_outside_of_a_pod_nobody_says_where_the_api_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(ClusterUnavailable), connected(None, request_seconds=1):
        pass


class TestWorkloads:
    @pytest.mark.parametrize(("expected", "there"), [(3, {"replicas": 3}), (0, {})])
    def test_an_order_tests_what_there_is_first(self, expected: int, there: object) -> None:
        seen: list[object] = []

        def reply(handler: Handler) -> None:
            seen.extend((handler.path, handler.headers["Content-Type"], body_of(handler)))
            document({})(handler)

        with api_that(reply) as api:
            KubernetesWorkloads(api, namespace="n").scale("d", 5, expected=expected)

        assert seen == [
            "/apis/apps/v1/namespaces/n/deployments/d/scale?fieldManager=doorbuster-operator",
            "application/json-patch+json",
            [
                {"op": "test", "path": "/spec", "value": there},
                {"op": "add", "path": "/spec/replicas", "value": 5},
            ],
        ]

    @pytest.mark.parametrize(
        ("status", "now", "problem"), [(422, 4, TargetChanged), (422, 3, PatchUnfit), (409, 3, TargetChanged)]
    )
    def test_an_order_that_is_refused_though_the_number_is_the_expected_one_is_no_change(
        self, status: int, now: int, problem: type[ClusterUnavailable]
    ) -> None:
        def reply(handler: Handler) -> None:
            there = document({"spec": {"replicas": now}})
            if handler.command != "PATCH":
                there(handler)
                return
            body_of(handler)
            refusal(status, "no")(handler)

        with api_that(reply) as api, pytest.raises(problem):
            KubernetesWorkloads(api, namespace="n").scale("d", 5, expected=3)

    def test_without_labels_no_pod_is_the_deployments(self) -> None:
        with api_that(document({"spec": {"selector": {}}})) as api:
            found = KubernetesWorkloads(api, namespace="n").read("d").workload

        assert (found.replicas, found.ready, found.pods) == (1, 0, ())

    def test_a_pod_without_a_time_isnt_believed(self) -> None:
        pods = {"items": [{"metadata": {"name": "a", "creationTimestamp": "once"}}]}
        spec = {"spec": {"selector": {"matchLabels": {"a": "b"}}}, **pods}

        with api_that(document(spec)) as api, pytest.raises(ClusterUnavailable, match="a time that is none: 'once'"):
            KubernetesWorkloads(api, namespace="n").read("d")

    def test_only_the_deployment_itself_can_be_missing(self) -> None:
        found = document({"spec": {"selector": {"matchLabels": {"a": "b"}}}})

        def reply(handler: Handler) -> None:
            (refusal(404, "no pods here") if "/pods" in handler.path else found)(handler)

        with api_that(reply) as api, pytest.raises(ClusterUnavailable, match="no pods here"):
            KubernetesWorkloads(api, namespace="n").read("d")
