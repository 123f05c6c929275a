"""The chart `operator` in a test's namespace, as far as it works without pods: its kind, its account, its rights."""

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus

import yaml

from tests.integration.polling import seconds_until
from tests.operator_api.api_server import ApiServer
from tests.operator_api.namespaces import Namespace
from tests.operator_api.rest import Refused
from tests.unit.charts.rendering import CHARTS, Manifest, helm, packed_dependencies

API = "doorbuster.dev/v1alpha1"
CHART = CHARTS / "operator"
PLACEHOLDER = "namespace-of-the-test"
CRD = "CustomResourceDefinition"
RIGHTS = frozenset({"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
SERVED_SECONDS = 30


@cache
def _rendered() -> str:
    """The chart with its own values, in a namespace that is to be replaced: helm takes most of a second."""
    packed_dependencies(CHART)
    answer = helm("template", CHART.name, CHART, "--namespace", PLACEHOLDER)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def operator_manifests(namespace: str) -> list[Manifest]:
    """The chart with its own values, in a namespace."""
    found = yaml.safe_load_all(_rendered().replace(PLACEHOLDER, namespace))
    return [manifest for manifest in found if manifest]


def scaler_kind() -> Manifest:
    """The definition of ConsumerScaler."""
    return only(manifest for manifest in operator_manifests("anywhere") if manifest["kind"] == CRD)


def install_kind(server: ApiServer) -> None:
    """Have the API server serve ConsumerScalers."""
    if _is_served(server):
        return
    definition = yaml.safe_dump(scaler_kind())
    server.run_kubectl("apply", "--server-side", "--filename=-", stdin=definition)
    seconds_until(lambda: _is_served(server), within_seconds=SERVED_SECONDS, what="ConsumerScalers are served")


def _is_served(server: ApiServer) -> bool:
    try:
        server.rest.get(f"/apis/{API}/consumerscalers")
    except Refused as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise
        return False
    return True


def remove_kind(server: ApiServer) -> None:
    """Have it forget them, and every ConsumerScaler with them."""
    server.run_kubectl(
        "delete", "--ignore-not-found", f"--timeout={SERVED_SECONDS}s", "crd", scaler_kind()["metadata"]["name"]
    )


def install_rights(namespace: Namespace) -> str:
    """Make the operator's service account with what it may do; return its name."""
    rights = [manifest for manifest in operator_manifests(namespace.name) if manifest["kind"] in RIGHTS]
    namespace.kubectl("apply", "--server-side", "--filename=-", stdin=yaml.safe_dump_all(rights))
    return str(pod_spec(namespace.name)["serviceAccountName"])


def pod_spec(namespace: str) -> Manifest:
    """What the operator's pod is made of."""
    deployment = only(manifest for manifest in operator_manifests(namespace) if manifest["kind"] == "Deployment")
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec


def only(found: Iterable[Manifest]) -> Manifest:
    """The one that is there."""
    (manifest,) = found
    return manifest
