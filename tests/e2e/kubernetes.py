"""The cluster under test, as the e2e tests see it: objects, programs inside pods, waiting with a deadline."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from doorbuster_cluster.process import Completed
from doorbuster_cluster.runtime.releases import NAMESPACE
from doorbuster_cluster.runtime.secrets import namespace_manifest
from doorbuster_cluster.runtime.toolbox import Toolbox
from tests.integration.polling import seconds_until

Object = dict[str, Any]

# Not their pods as well: a Deployment that isn't gone yet makes new ones.
WORKLOADS = "deployments,statefulsets,jobs"
ENDING_SECONDS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubernetes:
    """One namespace of the cluster."""

    tools: Toolbox
    namespace: str = NAMESPACE

    def get(self, kind: str, name: str) -> Object:
        """Return one object."""
        found: Object = json.loads(self.tools.kubectl("get", kind, name, *self._place, "--output", "json"))
        return found

    def list(self, kind: str, selector: str = "") -> Sequence[Object]:
        """Return all objects of a kind that a label selector selects; empty selects all."""
        answer = self.tools.kubectl("get", kind, *self._place, "--selector", selector, "--output", "json")
        found: Sequence[Object] = json.loads(answer)["items"]
        return found

    def apply(self, *objects: Object) -> None:
        """Create or change objects."""
        self.tools.kubectl("apply", *self._place, "-f", "-", stdin=yaml.safe_dump_all(objects))

    def delete(self, kind: str, name: str, *options: str) -> None:
        """Delete an object, unless it is gone already."""
        self.tools.kubectl("delete", kind, name, *self._place, "--ignore-not-found", *options, timeout_seconds=120)

    def replace_pods(self, *names: str) -> None:
        """Delete pods at once; their controller makes new ones, without the kubelet's pause after a crash."""
        self.tools.kubectl("delete", "pod", *names, *self._place, "--grace-period=0", "--force")

    def execute(self, pod: str, *command: str, container: str | None = None) -> str:
        """Return what a command in a pod printed; raises CommandFailed when it failed."""
        return self.tools.kubectl("exec", pod, *self._place, *self._container(container), "--", *command)

    def try_execute(self, pod: str, *command: str, container: str | None = None) -> Completed:
        """Return how a command in a pod ended."""
        return self.tools.try_kubectl("exec", pod, *self._place, *self._container(container), "--", *command)

    def logs(self, pod: str) -> str:
        """Return everything that a pod has printed."""
        return self.tools.kubectl("logs", pod, *self._place, "--tail=-1")

    def secret(self, name: str, key: str) -> str:
        """Return one value of a Secret."""
        template = f"go-template={{{{index .data {json.dumps(key)} | base64decode}}}}"
        return self.tools.kubectl("get", "secret", name, *self._place, "--output", template)

    def ready(self, kind: str, name: str) -> bool:
        """Return whether all replicas of a workload are ready and of its newest revision.

        Its pods are asked, too: for a moment after a kill the workload's status still tells of those that are gone.
        """
        found = self.get(kind, name)
        status, wanted = found["status"], found["spec"]["replicas"]
        labels = found["spec"]["selector"]["matchLabels"]
        pods = self.list("pods", ",".join(f"{key}={value}" for key, value in labels.items()))
        return bool(
            status.get("readyReplicas", 0) == wanted
            and status.get("observedGeneration") == found["metadata"]["generation"]
            and sum(map(_is_ready, pods)) >= wanted
        )

    def wait_ready(self, *workloads: str, within_seconds: float) -> float:
        """Return the seconds until all workloads (`statefulset/data-mysql`) were ready."""

        def reached() -> bool:
            return all(self.ready(*workload.split("/")) for workload in workloads)

        return seconds_until(reached, within_seconds=within_seconds, what=f"{', '.join(workloads)} ready")

    @property
    def _place(self) -> tuple[str, str]:
        return ("--namespace", self.namespace)

    @staticmethod
    def _container(name: str | None) -> tuple[str, ...]:
        return ("--container", name) if name else ()


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@contextmanager
def own_namespace(tools: Toolbox, name: str) -> Iterator[Kubernetes]:
    """Yield a namespace beside ours that refuses the same pods; gone afterwards with everything in it.

    Its pods go first: Kubernetes looks at a namespace with pods again only after half of their longest grace period.
    """
    tools.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(namespace_manifest(name)))
    try:
        yield Kubernetes(tools=tools, namespace=name)
    finally:
        tools.kubectl(
            "delete", WORKLOADS, "--all", "--cascade=foreground", "--namespace", name, timeout_seconds=ENDING_SECONDS
        )
        tools.kubectl("delete", "namespace", name, "--ignore-not-found", timeout_seconds=ENDING_SECONDS)


def restricted_pod(
    name: str,
    *,
    image: str,
    script: str,
    labels: Mapping[str, str],
    environment: Mapping[str, Any],
    user: int,
    cpu: str = "10m",
) -> Object:
    """Return a pod that the namespace admits (Pod Security Standard restricted) and that runs a bash script.

    What it requests of the CPU should be little: the node has to have room for everything that is installed, too.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 2,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": name,
                    "image": image,
                    "command": ["bash", "-c", script],
                    "env": [{"name": key, **_value(value)} for key, value in environment.items()],
                    "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}},
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def _value(value: str | Mapping[str, str]) -> Object:
    return {"value": value} if isinstance(value, str) else {"valueFrom": {"secretKeyRef": dict(value)}}


@contextmanager
def running_pod(kubernetes: Kubernetes, pod: Object) -> Iterator[str]:
    """Yield the name of a pod that runs; afterwards it goes, and the next of that name waits until it is gone."""
    name = pod["metadata"]["name"]
    kubernetes.delete("pod", name, "--now")
    kubernetes.apply(pod)
    try:
        seconds_until(
            lambda: kubernetes.get("pod", name)["status"]["phase"] == "Running",
            within_seconds=60, what=f"pod {name} runs",
        )  # fmt: skip
        yield name
    finally:
        kubernetes.delete("pod", name, "--now", "--wait=false")
