"""Deployments as targets: read with their pods, scaled only through the `scale` subresource (P9)."""

from datetime import datetime

from doorbuster_operator.adapters.kubernetes_api import (
    ClusterApi,
    Document,
    ObjectMissing,
    mapping_at,
    mappings_at,
    object_path,
)
from doorbuster_operator.model.workload import Pod, Workload
from doorbuster_operator.ports import ClusterUnavailable, Json, TargetMissing

APPS, CORE = "/apis/apps/v1", "/api/v1"
TEMPLATE_LABEL = "pod-template-hash"
# They are kept for people to look at and do nothing any more.
ENDED = frozenset({"Succeeded", "Failed"})


class KubernetesWorkloads:
    """The Deployments of one namespace. May be asked from several threads."""

    def __init__(self, api: ClusterApi, *, namespace: str) -> None:
        """Take the way to the API server, and where the Deployments are."""
        self._api = api
        self._namespace = namespace

    def read(self, name: str) -> Workload:
        """Return the Deployment with its pods.

        Raises:
            TargetMissing: there is none of that name.
            ClusterUnavailable: it isn't known.
        """
        try:
            found = self._api.read(object_path(APPS, self._namespace, "deployments", name))
        except ObjectMissing as error:
            raise self._missing(name) from error
        labels = mapping_at(found, "spec", "selector", "matchLabels")
        return Workload(
            # Kubernetes fills in the one that nobody asked for.
            replicas=_count(mapping_at(found, "spec").get("replicas"), default=1),
            ready=_count(mapping_at(found, "status").get("readyReplicas"), default=0),
            pods=self._pods(labels),
        )

    def _pods(self, labels: Document) -> tuple[Pod, ...]:
        if not labels:
            # Without any, the answer would be all pods of the namespace.
            return ()
        selector = ",".join(f"{label}={value}" for label, value in labels.items())
        found = self._api.read(object_path(CORE, self._namespace, "pods"), query={"labelSelector": selector})
        return tuple(
            _pod(each) for each in mappings_at(found, "items") if mapping_at(each, "status").get("phase") not in ENDED
        )

    def scale(self, name: str, replicas: int) -> None:
        """Set the number of replicas.

        Raises:
            TargetMissing: there is none of that name.
            ClusterUnavailable: it may or may not have been set.
        """
        try:
            self._api.patch(
                object_path(APPS, self._namespace, "deployments", name, "scale"), {"spec": {"replicas": replicas}}
            )
        except ObjectMissing as error:
            raise self._missing(name) from error

    def _missing(self, name: str) -> TargetMissing:
        return TargetMissing(f"There is no deployment {name} in namespace {self._namespace}.")


def _pod(pod: Document) -> Pod:
    metadata = mapping_at(pod, "metadata")
    return Pod(
        name=str(metadata.get("name")),
        created_at=_seconds(metadata.get("creationTimestamp")),
        ready_at=_ready_at(pod),
        template=str(mapping_at(metadata, "labels").get(TEMPLATE_LABEL, "")),
        leaving=metadata.get("deletionTimestamp") is not None,
    )


def _ready_at(pod: Document) -> float | None:
    for condition in mappings_at(mapping_at(pod, "status"), "conditions"):
        if condition.get("type") == "Ready" and condition.get("status") == "True":
            return _seconds(condition.get("lastTransitionTime"))
    return None


def _count(value: Json, *, default: int) -> int:
    return value if isinstance(value, int) else default


def _seconds(value: Json) -> float:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError as error:
        raise ClusterUnavailable(f"The API server gives a pod a time that is none: {value!r}.") from error
