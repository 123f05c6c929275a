"""What stands for Kubernetes' controllers and the kubelet: it makes a Deployment's pods, and says that they are ready.

Only as much as the operator can see of it: pods with the Deployment's labels and the hash of their template, and the
Deployment's status. Pods are ready at once unless the fleet is told to hold them back.
"""

import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

from tests.operator_api.rest import Document, Patch, Refused, Rest

LOOK_SECONDS = 0.1
END_SECONDS = 15.0
HASH_LABEL = "pod-template-hash"
SECURITY = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(slots=True, kw_only=True)
class Fleet:
    """The Deployments of one namespace."""

    rest: Rest
    namespace: str
    starts_pods: bool = True
    _ended: threading.Event = field(default_factory=threading.Event)
    _failure: Exception | None = None

    def deploy(self, name: str, *, replicas: int) -> None:
        """Make a Deployment; its pods follow by themselves."""
        labels = {"app.kubernetes.io/name": name}
        container = {"name": "main", "image": f"example.org/{name}:1", "securityContext": SECURITY}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        self.rest.post(
            self._deployments,
            {
                "metadata": {"name": name},
                "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
            },
        )

    def scale(self, name: str, replicas: int) -> None:
        """Scale as a person does: through `scale`, under another name than the operator's."""
        path = f"{self._deployments}/{name}/scale?fieldManager=somebody"
        self.rest.patch(path, {"spec": {"replicas": replicas}})

    def deployment(self, name: str) -> Document:
        """Return a Deployment as it is stored."""
        return self.rest.get(f"{self._deployments}/{name}")

    def replicas(self, name: str) -> int:
        """Return how many replicas a Deployment asks for."""
        return int(self.deployment(name)["spec"]["replicas"])

    def pods(self, name: str) -> list[Document]:
        """Return the pods of a Deployment."""
        found: list[Document] = self.rest.get(f"{self._pods}?labelSelector=app.kubernetes.io/name={name}")["items"]
        return found

    def raise_failure(self) -> None:
        """Fail if the fleet's own work failed; what a test saw then means nothing."""
        if self._failure is not None:
            raise self._failure

    @property
    def _deployments(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments"

    @property
    def _pods(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def _work(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                for deployment in self.rest.get(self._deployments)["items"]:
                    self._bring_into_line(deployment)
            except Refused as refusal:
                self._failure = refusal
                return
            except OSError:
                # A test has interrupted the API server; controllers wait for it too.
                continue

    def _bring_into_line(self, deployment: Document) -> None:
        name, wanted = deployment["metadata"]["name"], deployment["spec"]["replicas"]
        pods = self.pods(name)
        for _ in range(wanted - len(pods)):
            self._make_pod(deployment)
        # The newest first, as a ReplicaSet does it.
        for pod in sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"])[wanted:]:
            self.rest.delete(f"{self._pods}/{pod['metadata']['name']}")
        if self.starts_pods:
            for pod in self.pods(name):
                self._start(pod)
        self._tell(deployment)

    def _make_pod(self, deployment: Document) -> None:
        template = deployment["spec"]["template"]
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        metadata = {
            "name": f"{deployment['metadata']['name']}-{digest}-{secrets.token_hex(3)}",
            "labels": {**template["metadata"]["labels"], HASH_LABEL: digest},
        }
        self.rest.post(self._pods, {"metadata": metadata, "spec": template["spec"]})

    def _start(self, pod: Document) -> None:
        if _is_ready(pod):
            return
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {"type": "Ready", "status": "True", "lastTransitionTime": since}
        status = {"phase": "Running", "conditions": [condition], "startTime": since}
        with suppress(Refused):  # deleted in between: the next look sees it
            self.rest.patch(f"{self._pods}/{pod['metadata']['name']}/status", {"status": status}, kind=Patch.STRATEGIC)

    def _tell(self, deployment: Document) -> None:
        pods = self.pods(deployment["metadata"]["name"])
        ready = sum(map(_is_ready, pods))
        told = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": None,
        }
        known = deployment.get("status", {})
        if any(known.get(key, 0 if value == 0 else None) != value for key, value in told.items()):
            path = f"{self._deployments}/{deployment['metadata']['name']}/status"
            try:
                self.rest.patch(path, {"status": told})
            except Refused as refusal:
                # A test has deleted it in between: there is nobody left to tell.
                if refusal.status != HTTPStatus.NOT_FOUND:
                    raise


def _is_ready(pod: Document) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@contextmanager
def working_fleet(rest: Rest, namespace: str) -> Iterator[Fleet]:
    """Yield a fleet that works until the block ends."""
    fleet = Fleet(rest=rest, namespace=namespace)
    worker = threading.Thread(target=fleet._work, name="fleet")
    worker.start()
    try:
        yield fleet
    finally:
        fleet._ended.set()
        worker.join(END_SECONDS)
    fleet.raise_failure()
