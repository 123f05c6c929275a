import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from doorbuster_cluster.builds.images import FOLDER as IMAGES
from doorbuster_cluster.digests import digest_of
from doorbuster_cluster.errors import CommandFailed
from doorbuster_cluster.runtime.addons import DIGEST_KEY, FOLDER, KUBE_ROUTER, TRAEFIK, Addon
from doorbuster_cluster.runtime.toolbox import Toolbox
from tests.unit.cluster.conftest import FakeProgram

NAMES = {"TRAEFIK_IMAGE": "localhost:5001/doorbuster/traefik:abc", "SYSTEM_IMAGE": "localhost/doorbuster/system:node"}
ADDONS = [TRAEFIK, KUBE_ROUTER]
# A node of two cores, less what kubeadm asks for (LOCAL_CLUSTER: 850m) and what the platform may (P8: 1,000m).
LEFT_FOR_ADDONS_MILLICORES = 2000 - 850 - 1000
# A Kubernetes object as YAML gives it.
Document = dict[str, Any]


def documents(addon: Addon) -> list[Document]:
    return list(yaml.safe_load_all(addon.manifest(NAMES)))


def pod_spec(addon: Addon) -> Document:
    kind = addon.workload.partition("/")[0]
    workloads = [document for document in documents(addon) if str(document["kind"]).lower() == kind]
    assert len(workloads) == 1
    spec: Document = workloads[0]["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("addon", ADDONS, ids=lambda addon: addon.name)
def test_a_manifest_is_filled_in_completely(addon: Addon) -> None:
    manifest = addon.manifest(NAMES)

    assert "$" not in manifest
    assert any(image in manifest for image in NAMES.values())


def test_an_image_that_nobody_supplies_is_an_error() -> None:
    with pytest.raises(KeyError, match="TRAEFIK_IMAGE"):
        TRAEFIK.manifest({})


def test_every_manifest_is_an_addon() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {addon.name for addon in ADDONS}


@pytest.mark.parametrize("addon", ADDONS, ids=lambda addon: addon.name)
def test_the_workload_to_wait_for_is_in_the_manifest(addon: Addon) -> None:
    found = {
        (f"{str(document['kind']).lower()}/{document['metadata']['name']}", document["metadata"].get("namespace"))
        for document in documents(addon)
    }

    assert (addon.workload, addon.namespace) in found


def test_the_edge_keeps_the_restricted_standard_but_for_its_port_on_the_node() -> None:
    spec = pod_spec(TRAEFIK)
    (container,) = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert [port.get("hostPort") for port in container["ports"]] == [80, None]


def test_the_edge_runs_as_the_user_of_its_image() -> None:
    user = re.findall(r"^USER (\d+):(\d+)$", (IMAGES / "traefik" / "Dockerfile").read_text(), re.MULTILINE)
    context = pod_spec(TRAEFIK)["securityContext"]

    assert [(str(context["runAsUser"]), str(context["runAsGroup"]))] == user


def requests() -> Iterator[str]:
    manifests = [addon.manifest(NAMES) for addon in ADDONS]
    manifests += [path.read_text() for path in (IMAGES / "node/files/kind/manifests").glob("*.yaml")]
    for manifest in manifests:
        for document in yaml.safe_load_all(manifest):
            if document["kind"] in {"Deployment", "DaemonSet"}:
                for container in document["spec"]["template"]["spec"]["containers"]:
                    yield container["resources"]["requests"]["cpu"]


def test_addons_leave_the_platform_its_share_of_two_cores() -> None:
    asked = [int(request.removesuffix("m")) for request in requests()]

    assert len(asked) == 4
    assert sum(asked) <= LEFT_FOR_ADDONS_MILLICORES


def test_an_addon_is_applied_waited_for_and_only_then_marked(
    tools: Toolbox, fake_program: FakeProgram, tmp_path: Path
) -> None:
    kubectl = fake_program("kubectl", f'[ "$1" != apply ] || cat > {tmp_path}/manifest')

    TRAEFIK.install(tools, NAMES)

    manifest = TRAEFIK.manifest(NAMES)
    assert (tmp_path / "manifest").read_text() == manifest
    assert kubectl.read_text().splitlines() == [
        "annotate deployment/traefik --namespace traefik doorbuster.dev/manifest-",
        "apply --server-side --force-conflicts -f -",
        "rollout status deployment/traefik --namespace traefik --timeout=180s",
        f"annotate deployment/traefik --namespace traefik --overwrite doorbuster.dev/manifest={digest_of(manifest)}",
    ]


def test_an_addon_that_does_not_become_ready_is_not_marked(tools: Toolbox, fake_program: FakeProgram) -> None:
    kubectl = fake_program("kubectl", '[ "$1" != rollout ] || { echo "timed out" >&2; exit 1; }')

    with pytest.raises(CommandFailed, match="timed out"):
        TRAEFIK.install(tools, NAMES)

    assert f"{DIGEST_KEY}=" not in kubectl.read_text()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(f"printf {digest_of(TRAEFIK.manifest(NAMES))}", True, id="this manifest"),
        pytest.param("printf 0123456789abcdef", False, id="another manifest"),
        pytest.param("true", False, id="not marked"),
        pytest.param("exit 1", False, id="not there"),
    ],
)
def test_an_addon_is_current_when_this_very_manifest_was_marked(
    tools: Toolbox, fake_program: FakeProgram, answer: str, *, expected: bool
) -> None:
    kubectl = fake_program("kubectl", answer)

    assert TRAEFIK.is_current(tools, NAMES) is expected
    path = "{.metadata.annotations.doorbuster\\.dev/manifest}"
    assert kubectl.read_text() == f"get deployment/traefik --namespace traefik --output jsonpath={path}\n"
