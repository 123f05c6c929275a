import os
from pathlib import Path

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.go_programs import PROGRAMS, GoWorkshop
from doorbuster_cluster.builds.released_programs import RELEASED
from doorbuster_cluster.runtime import toolbox
from doorbuster_cluster.runtime.toolbox import STAND_INS, SUPPORTED, Toolbox, find_supported
from tests.unit.cluster.conftest import FakeProgram
from tests.unit.cluster.host.machines import settings


@pytest.mark.parametrize(
    ("name", "answer", "fits"),
    [
        ("kind", "kind v0.33.0 go1.26 linux/amd64", True),
        ("kind", "kind v0.29.0 go1.24 linux/amd64", False),
        ("kind", "kind v1.0.0 go1.30 linux/amd64", False),
        ("helm", "v4.3.1+g0", True),
        ("helm", "v3.17.0", True),
        ("helm", "v3.16.4", False),
        ("kubectl", "Client Version: v1.34.0", True),
        ("kubectl", "Client Version: v1.36.9", True),
        ("kubectl", "Client Version: v1.33.9", False),
        ("kubectl", "Client Version: v1.37.0", False),
        ("kubectl", "it does not tell", False),
    ],
)
def test_a_program_on_path_is_used_in_a_version_that_is_known_to_work(
    fake_program: FakeProgram, name: str, answer: str, *, fits: bool
) -> None:
    path = fake_program(name, f"echo '{answer}'").with_name(name)

    assert find_supported(name) == (path if fits else None)


@pytest.mark.parametrize("name", SUPPORTED)
def test_what_is_released_and_what_is_built_is_in_the_supported_range(name: str) -> None:
    lowest, highest = SUPPORTED[name]
    version = tuple(int(part) for part in RELEASED[name].version.removeprefix("v").split("."))

    assert lowest <= version[:2] <= highest
    assert STAND_INS[name] in PROGRAMS


@pytest.fixture
def bare(tmp_path: Path, fake_program: FakeProgram) -> Toolbox:
    """A toolbox on a machine that has Go and none of the three programs."""
    fake_program("go", "echo go1.26.8")
    nothing: dict[str, Path | None] = dict.fromkeys(SUPPORTED)
    return Toolbox(settings=settings(cache=str(tmp_path)), engine=Engine(address=None, own=False), found=nothing)


def test_the_released_program_comes_before_the_one_that_we_built(bare: Toolbox) -> None:
    released = RELEASED["helm"].path(bare.settings.cache)
    released.parent.mkdir(parents=True)
    released.touch()

    assert bare.path("helm") == released


def test_without_a_released_one_it_is_the_one_that_we_built(bare: Toolbox) -> None:
    assert bare.path("helm") == GoWorkshop(cache=bare.settings.cache).path(PROGRAMS["helm"])


def test_the_kubernetes_program_is_kubectl_when_it_is_called_so(bare: Toolbox) -> None:
    built = GoWorkshop(cache=bare.settings.cache).path(PROGRAMS["hyperkube"])
    built.parent.mkdir(parents=True)
    built.touch()

    links = {bare.path("kubectl"), bare.path("kubectl")}

    assert links == {built.with_name("kubectl")}
    assert links.pop().resolve() == built


def test_before_it_is_built_there_is_no_link_to_it(bare: Toolbox) -> None:
    path = bare.path("kubectl")

    assert (path.name, path.is_symlink()) == ("kubectl", False)


def test_without_a_compiler_it_is_the_one_to_be_downloaded(bare: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolbox, "find_program", lambda _name: None)

    assert bare.path("kind") == RELEASED["kind"].path(bare.settings.cache)


def test_programs_find_cluster_and_engine_in_their_environment(
    tmp_path: Path, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/someone/.kube/config")
    helm = fake_program("helm", f"env > {tmp_path}/environment").with_name("helm")
    engine = Engine(address="unix:///cache/engine/docker.sock", own=True)
    chosen = settings(cluster="shop", cache=str(tmp_path / "cache"))

    Toolbox(settings=chosen, engine=engine, found={"helm": helm}).helm("list")

    assert {
        f"KUBECONFIG={tmp_path}/cache/clusters/shop/kubeconfig",
        "DOCKER_HOST=unix:///cache/engine/docker.sock",
        "KIND_EXPERIMENTAL_DOCKER_NETWORK=shop",
        f"PATH={os.environ['PATH']}",
    } <= set((tmp_path / "environment").read_text().splitlines())


def test_each_program_is_asked_for_its_version_once(tmp_path: Path, fake_program: FakeProgram) -> None:
    helm = fake_program("helm", "echo v4.3.1")
    tools = Toolbox(settings=settings(cache=str(tmp_path)), engine=Engine(address=None, own=False))

    tools.helm("list")
    tools.try_helm("status")

    assert helm.read_text().splitlines() == ["version --short", "list", "status"]
