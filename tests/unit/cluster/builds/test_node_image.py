import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.go_programs import KUBERNETES_VERSION, PROGRAMS, GoWorkshop
from doorbuster_cluster.builds.images import FOLDER, ImageWorkshop, read_source
from doorbuster_cluster.builds.node_image import NAMES_BY_STAGE, SYSTEM_IN_NODE, NodeImage
from doorbuster_cluster.builds.released_programs import RELEASED
from doorbuster_cluster.settings import REPOSITORY
from tests.unit.cluster.builds.conftest import Compiler
from tests.unit.cluster.conftest import FakeProgram

FILES = FOLDER / "node" / "files"
MANIFESTS = sorted((FILES / "kind" / "manifests").glob("*.yaml"))


@pytest.fixture
def workshop(tmp_path: Path, go: Compiler) -> ImageWorkshop:
    """A workshop that has every program of the node."""
    go("1.26.8")
    cache = tmp_path / "cache"
    for name in {*read_source("node").programs, *read_source("system").programs}:
        path = GoWorkshop(cache=cache).path(PROGRAMS[name])
        path.parent.mkdir(parents=True)
        path.write_text(name)
    return ImageWorkshop(engine=Engine(address=None, own=False), cache=cache, prefix="localhost:5001/doorbuster")


def test_the_names_are_those_that_kubeadm_1_35_4_looks_for() -> None:
    assert {name for names in NAMES_BY_STAGE.values() for name in names} - {SYSTEM_IN_NODE} == {
        "registry.k8s.io/kube-apiserver:v1.35.4",
        "registry.k8s.io/kube-controller-manager:v1.35.4",
        "registry.k8s.io/kube-scheduler:v1.35.4",
        "registry.k8s.io/kube-proxy:v1.35.4",
        "registry.k8s.io/etcd:3.6.6-0",
        "registry.k8s.io/coredns/coredns:v1.13.1",
        "registry.k8s.io/pause:3.10.1",
    }


def test_kind_reads_the_version_that_is_inside() -> None:
    assert (FILES / "kind" / "version").read_text() == KUBERNETES_VERSION


def test_the_version_is_that_of_the_module() -> None:
    required = re.findall(r"k8s\.io/kubernetes (v\S+)", (REPOSITORY / "cluster/go/hyperkube/go.mod").read_text())

    assert required == [KUBERNETES_VERSION]


def test_kubernetes_libraries_are_of_the_same_release() -> None:
    minor_and_patch = KUBERNETES_VERSION.removeprefix("v1.")
    module = (REPOSITORY / "cluster/go/hyperkube/go.mod").read_text()

    assert set(re.findall(r"=> k8s\.io/\S+ v0\.(\S+)", module)) == {minor_and_patch}


def test_the_released_kubectl_has_the_version_of_the_cluster() -> None:
    assert RELEASED["kubectl"].version == KUBERNETES_VERSION


@pytest.mark.parametrize(("name", "module"), [("kind", "sigs.k8s.io/kind"), ("helm", "helm.sh/helm/v4")])
def test_released_programs_have_the_versions_that_are_built_too(name: str, module: str) -> None:
    go_mod = (REPOSITORY / "cluster" / "go" / name / "go.mod").read_text()

    assert re.findall(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod, re.MULTILINE) == [RELEASED[name].version]


def test_containerd_starts_pods_with_the_pause_image_that_is_inside() -> None:
    configuration = tomllib.loads((FILES / "etc/containerd/config.toml").read_text())

    assert (configuration["plugins"]["io.containerd.grpc.v1.cri"]["sandbox_image"],) == NAMES_BY_STAGE["pause"]


def node_containers() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        for document in yaml.safe_load_all(path.read_text()):
            if document["kind"] == "DaemonSet":
                yield from document["spec"]["template"]["spec"]["containers"]


def test_kinds_manifests_run_the_system_image_and_never_pull_it() -> None:
    found = [(container["image"], container["imagePullPolicy"]) for container in node_containers()]

    assert found == [(SYSTEM_IN_NODE, "Never")] * 2


def test_what_kinds_manifests_run_is_in_the_system_image() -> None:
    linked = re.search(r"for name in ([^;]+);", (FOLDER / "system" / "Dockerfile").read_text())
    assert linked is not None

    commands = {container["command"][0] for container in node_containers()}
    assert commands == {"node-network", "volume-provisioner"}
    assert commands <= set(linked[1].replace("\\", " ").split())


def test_the_manifest_that_kind_fills_in_asks_for_it() -> None:
    manifest = (FILES / "kind/manifests/default-cni.yaml").read_text()

    # kind looks for this sentence and fills in nothing without it.
    assert "would you kindly template this file" in manifest
    assert "{{ .PodSubnet }}" in manifest


@pytest.mark.parametrize("name", ["node", "system"])
def test_the_reference_changes_with_both_images_inputs(
    workshop: ImageWorkshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    former = NodeImage(workshop=workshop).reference
    for image in ("node", "system"):
        (tmp_path / "images" / image).mkdir(parents=True)
        (tmp_path / "images" / image / "image.toml").write_text((FOLDER / image / "image.toml").read_text())
    monkeypatch.setattr("doorbuster_cluster.builds.images.FOLDER", tmp_path / "images")
    changed = NodeImage(workshop=workshop).reference
    (tmp_path / "images" / name / "more").touch()

    assert len({former, changed, NodeImage(workshop=workshop).reference}) == 3


def test_the_reference_changes_with_the_names_inside(workshop: ImageWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:
    former = NodeImage(workshop=workshop).reference

    monkeypatch.setitem(NAMES_BY_STAGE, "pause", ("registry.k8s.io/pause:3.10.2",))

    assert NodeImage(workshop=workshop).reference != former


def holding_bases(fake_program: FakeProgram) -> Path:
    return fake_program("docker", 'case "$*" in "image inspect "*/root-*) ;; "image inspect "*) exit 1;; esac')


def test_a_node_is_built_around_the_saved_system_images(workshop: ImageWorkshop, fake_program: FakeProgram) -> None:
    docker = holding_bases(fake_program)

    reference = NodeImage(workshop=workshop).build()

    calls = docker.read_text().splitlines()
    names = [name for stage in NAMES_BY_STAGE.values() for name in stage]
    builds = [re.findall(r"--tag (\S+)", call)[0] for call in calls if call.startswith("build ")]
    assert builds == [names[0], *NAMES_BY_STAGE["coredns"], *NAMES_BY_STAGE["pause"], reference]
    assert [call.split()[1:] for call in calls if call.startswith("tag ")] == [
        [names[0], name] for name in NAMES_BY_STAGE["system"][1:]
    ]
    saved = next(call for call in calls if call.startswith("save "))
    assert saved.startswith(f"save --output {workshop.cache}/image-node-")
    assert saved.endswith("/images.tar " + " ".join(names))
    # The engine keeps none of the names: they are a published image's, and only the node's containerd needs ours.
    assert calls.index(saved) < calls.index(f"image rm {' '.join(names)}") < len(calls) - 1


def test_the_stages_are_those_of_the_system_images_dockerfile(
    workshop: ImageWorkshop, fake_program: FakeProgram
) -> None:
    docker = holding_bases(fake_program)

    NodeImage(workshop=workshop).build()

    stages = re.findall(r"^FROM .* AS (\w+)$", (FOLDER / "system" / "Dockerfile").read_text(), re.MULTILINE)
    assert re.findall(r"--target (\w+)", docker.read_text()) == stages == list(NAMES_BY_STAGE)


def test_a_node_image_that_the_engine_holds_is_not_built_again(
    workshop: ImageWorkshop, fake_program: FakeProgram
) -> None:
    docker = fake_program("docker", "exit 0")

    reference = NodeImage(workshop=workshop).build()

    assert docker.read_text() == f"image inspect --format {{{{.Id}}}} {reference}\n"
