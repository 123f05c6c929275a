"""Deployments as targets: read with their pods, scaled only through the `scale` subresource (P9)."""

from datetime import datetime

from doorbuster_operator.adapters.kubernetes_api import (
    ClusterApi,
    Document,
    ObjectChanged,
    ObjectMissing,
    PatchUnfit,
    mapping_at,
    mappings_at,
    object_path,
)
from doorbuster_operator.model.workload import Pod, Workload
from doorbuster_operator.ports import ClusterUnavailable, Json, Target, TargetChanged, TargetMissing

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

    def read(self, name: str) -> Target:
        """Return the Deployment with its pods.

        Raises:
            TargetMissing: there is none of that name.
            ClusterUnavailable: it isn't known.
        """
        found = self._deployment(name)
        labels = mapping_at(found, "spec", "selector", "matchLabels")
        workload = Workload(
            replicas=_replicas(found),
            ready=_count(mapping_at(found, "status").get("readyReplicas"), default=0),
            pods=self._pods(labels),
        )
        return Target(uid=str(mapping_at(found, "metadata").get("uid", "")), workload=workload)

    def _deployment(self, name: str) -> Document:
        try:
            return self._api.read(object_path(APPS, self._namespace, "deployments", name))
        except ObjectMissing as error:
            raise self._missing(name) from error

    def _pods(self, labels: Document) -> tuple[Pod, ...]:
        if not labels:
            # Without any, the answer would be all pods of the namespace.
            return ()
        selector = ",".join(f"{label}={value}" for label, value in labels.items())
        found = self._api.read(object_path(CORE, self._namespace, "pods"), query={"labelSelector": selector})
        return tuple(
            _pod(each) for each in mappings_at(found, "items") if mapping_at(each, "status").get("phase") not in ENDED
        )

    def scale(self, name: str, replicas: int, *, expected: int) -> None:
        """Set the number of replicas.

        Args:
            name: of the Deployment.
            replicas: what it should ask for.
            expected: what it asks for until then; another number isn't overwritten.

        Raises:
            TargetMissing: there is none of that name.
            TargetChanged: it doesn't ask for the expected number any more.
            ClusterUnavailable: it may or may not have been set.
        """
        path = object_path(APPS, self._namespace, "deployments", name, "scale")
        try:
            self._api.patch_in_steps(path, _steps(expected, replicas))
        except ObjectMissing as error:
            raise self._missing(name) from error
        except ObjectChanged as error:
            raise TargetChanged(str(error)) from error
        except PatchUnfit as error:
            # Policies refuse with the same status.
            if (now := _replicas(self._deployment(name))) == expected:
                raise
            raise TargetChanged(f"Deployment {name} asks for {now} replicas by now, not for {expected}.") from error

    def _missing(self, name: str) -> TargetMissing:
        return TargetMissing(f"There is no deployment {name} in namespace {self._namespace}.")


def _steps(expected: int, replicas: int) -> tuple[Document, Document]:
    # In a scale, no replicas are left out.
    there: Document = {"replicas": expected} if expected else {}
    return (
        {"op": "test", "path": "/spec", "value": there},
        {"op": "add", "path": "/spec/replicas", "value": replicas},
    )


def _replicas(deployment: Document) -> int:
    # Kubernetes fills in the one that nobody asked for.
    return _count(mapping_at(deployment, "spec").get("replicas"), default=1)


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
