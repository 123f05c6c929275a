"""The Kubernetes adapters at a real API server: they pass the suites of their ports, with the rights of the chart."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from doorbuster_operator.adapters.kubernetes_api import ClusterApi, connected
from doorbuster_operator.adapters.kubernetes_lease import DURATION_SECONDS, KubernetesLease
from doorbuster_operator.adapters.kubernetes_scalers import KubernetesScalers
from doorbuster_operator.adapters.kubernetes_workloads import KubernetesWorkloads
from doorbuster_operator.ports import ClusterUnavailable, Leadership
from tests.contracts.leadership import LeadershipContract
from tests.contracts.scalers import NAME as SCALER_NAME
from tests.contracts.scalers import ScalersContract, SeenEvent
from tests.contracts.workloads import NAME, PodPlan, WorkloadsContract
from tests.operator_api.api_server import ApiServer
from tests.operator_api.fleet import HASH_LABEL, SECURITY
from tests.operator_api.namespaces import Namespace
from tests.operator_api.operator_release import API, install_rights
from tests.operator_api.rest import Document, Patch
from tests.operator_api.stage import manifest

pytestmark = pytest.mark.operator_api

REQUEST_SECONDS = 10.0
LEASE = "operator"


@pytest.fixture
def api(namespace: Namespace) -> Iterator[ClusterApi]:
    """The way of an operator that may do what its chart lets it do, and nothing else."""
    kubeconfig = namespace.service_account_kubeconfig(install_rights(namespace))
    with connected(kubeconfig, request_seconds=REQUEST_SECONDS) as way:
        yield way


class RealWorkloadsScene:
    def __init__(self, namespace: Namespace, api: ClusterApi) -> None:
        self.workloads = KubernetesWorkloads(api, namespace=namespace.name)
        self._rest = namespace.server.rest
        self._deployments = f"/apis/apps/v1/namespaces/{namespace.name}/deployments"
        self._pods = f"/api/v1/namespaces/{namespace.name}/pods"

    def deploy(self, name: str, *, replicas: int, ready: int = 0, pods: tuple[PodPlan, ...] = ()) -> None:
        labels = {"app.kubernetes.io/instance": "apps", "app.kubernetes.io/name": name}
        spec: Document = {"containers": [{"name": "main", "image": "example.org/a:1", "securityContext": SECURITY}]}
        template = {"metadata": {"labels": labels}, "spec": spec}
        selector = {"matchLabels": labels}
        document = {
            "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": selector, "template": template},
        }
        self._rest.post(self._deployments, document)
        if ready:
            status = {"replicas": replicas, "readyReplicas": ready, "availableReplicas": ready}
            self._rest.patch(f"{self._deployments}/{name}/status", {"status": status})
        for each in pods:
            self._make_pod(each, labels, spec)

    def _make_pod(self, plan: PodPlan, labels: Mapping[str, str], spec: Document) -> None:
        # A finalizer keeps it while it is being deleted, as the kubelet would.
        metadata = {"name": plan.name, "labels": {**labels, HASH_LABEL: "abc"}, "finalizers": ["example.org/kept"]}
        self._rest.post(self._pods, {"metadata": metadata, "spec": spec})
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {"type": "Ready", "status": str(plan.ready), "lastTransitionTime": since}
        status = {"phase": "Failed" if plan.ended else "Running", "conditions": [ready]}
        self._rest.patch(f"{self._pods}/{plan.name}/status", {"status": status}, kind=Patch.STRATEGIC)
        if plan.leaving:
            self._rest.delete(f"{self._pods}/{plan.name}")


class TestKubernetesWorkloads(WorkloadsContract):
    @pytest.fixture
    def scene(self, namespace: Namespace, api: ClusterApi) -> RealWorkloadsScene:
        return RealWorkloadsScene(namespace, api)

    def test_replicas_are_the_operators_and_everything_else_isnt(
        self, namespace: Namespace, scene: RealWorkloadsScene
    ) -> None:
        scene.deploy(NAME, replicas=1)

        scene.workloads.scale(NAME, 4, expected=1)

        found = namespace.server.rest.get(f"/apis/apps/v1/namespaces/{namespace.name}/deployments/{NAME}")
        (own,) = [each for each in found["metadata"]["managedFields"] if each["manager"] == "doorbuster-operator"]
        assert (own["subresource"], own["fieldsV1"]) == ("scale", {"f:spec": {"f:replicas": {}}})

    def test_what_the_operator_may_not_do_is_told(self, namespace: Namespace, api: ClusterApi) -> None:
        elsewhere = KubernetesWorkloads(api, namespace="kube-system")

        with pytest.raises(ClusterUnavailable, match=f"status 403: .*{namespace.name}:"):
            elsewhere.read(NAME)


class RealScalersScene:
    def __init__(self, namespace: Namespace, api: ClusterApi) -> None:
        self.scalers = KubernetesScalers(api, namespace=namespace.name)
        self._rest = namespace.server.rest
        self._objects = f"/apis/{API}/namespaces/{namespace.name}/consumerscalers"
        self._events = f"/api/v1/namespaces/{namespace.name}/events"

    def make(self, name: str) -> str:
        document = manifest()
        document["metadata"]["name"] = name
        return str(self._rest.post(self._objects, document)["metadata"]["uid"])

    def status(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._rest.get(f"{self._objects}/{name}")["status"]
        return found

    def raw_events(self) -> list[Document]:
        found: list[Document] = self._rest.get(self._events)["items"]
        return found

    def events(self) -> Sequence[SeenEvent]:
        return [
            SeenEvent(
                about=each["involvedObject"]["uid"],
                reason=each["reason"],
                message=each["message"],
                warning=each["type"] == "Warning",
            )
            for each in self.raw_events()
        ]


class TestKubernetesScalers(ScalersContract):
    @pytest.fixture
    def scene(self, namespace: Namespace, api: ClusterApi, scalers_known: ApiServer) -> RealScalersScene:
        assert namespace.server is scalers_known
        return RealScalersScene(namespace, api)

    def test_all_objects_are_listed_as_they_are(self, scene: RealScalersScene) -> None:
        assert scene.scalers.list_objects() == []
        uids = {scene.make("one"), scene.make("two")}

        listed: list[Any] = list(scene.scalers.list_objects())

        assert {each["metadata"]["uid"] for each in listed} == uids
        assert listed[0]["spec"]["maxReplicas"] == manifest()["spec"]["maxReplicas"]

    def test_the_same_event_again_is_counted_on(self, scene: RealScalersScene) -> None:
        uid = scene.make(SCALER_NAME)
        for message in ("one", "one", "one", "two"):
            scene.scalers.post_event(SCALER_NAME, uid, reason="AtMaximum", message=message, warning=True)

        assert sorted((each["message"], each["count"]) for each in scene.raw_events()) == [("one", 3), ("two", 1)]

    def test_an_event_that_is_gone_is_posted_anew(self, namespace: Namespace, scene: RealScalersScene) -> None:
        uid = scene.make(SCALER_NAME)
        scene.scalers.post_event(SCALER_NAME, uid, reason="AtMaximum", message="one", warning=True)
        namespace.kubectl("delete", "events", "--all")

        scene.scalers.post_event(SCALER_NAME, uid, reason="AtMaximum", message="one", warning=True)

        assert [each["count"] for each in scene.raw_events()] == [1]

    def test_describe_shows_the_event(self, namespace: Namespace, scene: RealScalersScene) -> None:
        uid = scene.make(SCALER_NAME)
        scene.scalers.post_event(SCALER_NAME, uid, reason="ScaleOut", message="Scaled from 1 to 4.", warning=False)

        said = namespace.kubectl("describe", "consumerscaler", SCALER_NAME)

        assert "doorbuster-operator  Scaled from 1 to 4." in said


class RealLeadershipScene:
    def __init__(self, namespace: Namespace, api: ClusterApi) -> None:
        self.seconds = 0.0
        self._namespace = namespace
        self._api = api

    def candidate(self, identity: str) -> Leadership:
        return KubernetesLease(
            self._api, namespace=self._namespace.name, name=LEASE, identity=identity, clock=lambda: self.seconds
        )

    def spec(self) -> Document:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{self._namespace.name}/leases/{LEASE}"
        found: Document = self._namespace.server.rest.get(path)["spec"]
        return found


class TestKubernetesLease(LeadershipContract):
    @pytest.fixture
    def scene(self, namespace: Namespace, api: ClusterApi) -> RealLeadershipScene:
        return RealLeadershipScene(namespace, api)

    def test_a_lease_that_isnt_renewed_any_more_is_taken_over(self, scene: RealLeadershipScene) -> None:
        one, other = scene.candidate("one"), scene.candidate("other")
        assert one.held()
        assert not other.held()

        scene.seconds = DURATION_SECONDS - 0.1
        assert not other.held()
        scene.seconds = DURATION_SECONDS

        assert [other.held(), one.held()] == [True, False]
        assert (scene.spec()["holderIdentity"], scene.spec()["leaseTransitions"]) == ("other", 1)

    def test_a_lease_that_is_renewed_isnt_taken_over(self, scene: RealLeadershipScene) -> None:
        one, other = scene.candidate("one"), scene.candidate("other")
        for scene.seconds in range(0, 5 * DURATION_SECONDS, DURATION_SECONDS - 1):
            assert [one.held(), other.held()] == [True, False]

    def test_a_lease_that_was_deleted_is_made_anew(self, namespace: Namespace, scene: RealLeadershipScene) -> None:
        one = scene.candidate("one")
        assert one.held()
        namespace.kubectl("delete", "lease", LEASE)

        assert one.held()
        assert scene.spec()["holderIdentity"] == "one"

    def test_people_see_who_holds_it_and_since_when(self, scene: RealLeadershipScene) -> None:
        one = scene.candidate("one")
        assert one.held()
        taken = scene.spec()
        assert one.held()
        renewed = scene.spec()

        assert renewed["acquireTime"] == taken["acquireTime"]
        assert renewed["renewTime"] > taken["renewTime"]
        assert renewed["leaseDurationSeconds"] == DURATION_SECONDS
