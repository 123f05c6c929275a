"""The ConsumerScaler objects: listed, and told about by their status and by Events."""

from collections.abc import Mapping, Sequence

from doorbuster_operator.adapters.kubernetes_api import ClusterApi, mappings_at, object_path
from doorbuster_operator.adapters.kubernetes_events import KubernetesEvents
from doorbuster_operator.ports import Json

API_VERSION, KIND, PLURAL = "doorbuster.dev/v1alpha1", "ConsumerScaler", "consumerscalers"
PREFIX = f"/apis/{API_VERSION}"


class KubernetesScalers:
    """The scalers of one namespace. May be asked from several threads."""

    def __init__(self, api: ClusterApi, *, namespace: str) -> None:
        """Take the way to the API server, and where the scalers are."""
        self._api = api
        self._events = KubernetesEvents(api, namespace=namespace)
        self._namespace = namespace

    def list_objects(self) -> Sequence[Mapping[str, Json]]:
        """Return all of them as the API server has them now.

        Raises:
            ClusterUnavailable: it isn't known, or there is no such kind yet.
        """
        return mappings_at(self._api.read(object_path(PREFIX, self._namespace, PLURAL)), "items")

    def write_status(self, name: str, status: Mapping[str, Json]) -> None:
        """Replace the fields of the status; null removes one.

        Raises:
            ClusterUnavailable: it may or may not have been written.
        """
        self._api.patch(object_path(PREFIX, self._namespace, PLURAL, name, "status"), {"status": status})

    def post_event(self, name: str, uid: str, *, reason: str, message: str, warning: bool) -> None:
        """Post an Event about the object; best effort, never raises."""
        about = {"apiVersion": API_VERSION, "kind": KIND, "namespace": self._namespace, "name": name, "uid": uid}
        self._events.post(about, reason=reason, message=message, warning=warning)
