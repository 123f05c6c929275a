import io
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.builds.go_programs import PROGRAMS
from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.builds.node_image import SYSTEM_IN_NODE
from doorbuster_cluster.builds.released_programs import RELEASED
from doorbuster_cluster.commands import build_tasks, supply
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import PROGRAMS_OF_CLUSTER, PUBLISHED, BuiltSupply, PulledSupply
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.settings import REPOSITORY
from tests.ports import free_port
from tests.unit.cluster.conftest import FakeProgram


def run_task(made: BuiltSupply | PulledSupply, name: str) -> None:
    next(task for task in made.tasks() if task.name == name).run()


def test_published_images_are_of_the_versions_that_are_built_too() -> None:
    modules = {name: (REPOSITORY / "cluster" / "go" / name / "go.mod").read_text() for name in ("hyperkube", "traefik")}

    assert f"k8s.io/kubernetes {PUBLISHED['node'].rpartition(':')[2]}\n" in modules["hyperkube"]
    assert f"github.com/traefik/traefik/v3 {PUBLISHED['traefik'].rpartition(':')[2]}" in modules["traefik"]


def test_every_program_that_an_image_wants_is_built() -> None:
    wanted = {name for image in ("node", "system", "traefik") for name in read_source(image).programs}

    assert wanted <= set(PROGRAMS_OF_CLUSTER) <= PROGRAMS.keys()


def test_both_supplies_name_the_images_that_are_asked_for(session: Session) -> None:
    built, pulled = BuiltSupply(session=session).images, PulledSupply(session=session).images

    assert {"node", "registry", "traefik"} <= built.keys() & pulled.keys()
    assert built["system"] == SYSTEM_IN_NODE
    assert pulled["node"] == "docker.io/kindest/node:v1.35.4"


@pytest.mark.parametrize(("held", "pulls"), [(0, False), (1, True)])
def test_only_a_missing_image_is_pulled(session: Session, fake_program: FakeProgram, held: int, *, pulls: bool) -> None:
    docker = fake_program("docker", f'[ "$1" != image ] || exit {held}')

    run_task(PulledSupply(session=session), "image node")

    assert (f"pull --quiet {PUBLISHED['node']}" in docker.read_text().splitlines()) is pulls


@pytest.mark.parametrize("name", ["kind", "kubectl", "helm"])
def test_a_program_on_path_is_not_fetched(session: Session, name: str, printed: io.StringIO) -> None:
    run_task(PulledSupply(session=session), f"tool {name}")

    assert printed.getvalue() == ""


def without(session: Session, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Take a program off PATH, and its site out of reach."""
    session.tools.found[name] = None
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    nowhere = replace(RELEASED[name], url=f"http://127.0.0.1:{free_port()}/{name}")
    monkeypatch.setattr(supply, "RELEASED", {**RELEASED, name: nowhere})


def test_a_program_whose_site_is_out_of_reach_is_built(
    session: Session, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch, printed: io.StringIO
) -> None:
    without(session, monkeypatch, "kind")
    go = fake_program("go", '[ "$1" = env ] || { while [ "$1" != -o ]; do shift; done; touch "$2"; }')

    run_task(PulledSupply(session=session), "tool kind")

    assert "building kind instead" in printed.getvalue()
    assert go.read_text().splitlines()[-1].endswith(" sigs.k8s.io/kind")
    assert session.tools.path("kind").exists()


def test_without_site_and_compiler_the_reason_is_shown(
    session: Session, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(session, monkeypatch, "kind")
    fake_program("go", "echo 'go: not here' >&2; exit 1")
    monkeypatch.setattr("doorbuster_cluster.runtime.toolbox.find_program", lambda _name: None)

    with pytest.raises(ClusterError, match="go: not here"):
        run_task(PulledSupply(session=session), "tool kind")


def test_a_kept_program_is_not_built_again(session: Session, printed: io.StringIO, go: Path) -> None:
    path = session.go.path(PROGRAMS["pause"])
    path.parent.mkdir(parents=True)
    path.touch()

    run_task(BuiltSupply(session=session), "program pause")

    assert "program pause  cached" in printed.getvalue()
    assert "build" not in go.read_text()


def test_python_packages_are_not_fetched_for_an_image_that_is_there(
    session: Session, fake_program: FakeProgram, printed: io.StringIO
) -> None:
    fake_program("docker", "exit 0")

    run_task(BuiltSupply(session=session), "wheels apps")

    assert printed.getvalue() == ""


def test_python_packages_are_fetched_before_the_image_wants_them(
    session: Session, fake_program: FakeProgram, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program("docker", "exit 1")
    fetched: list[Path] = []
    monkeypatch.setattr(build_tasks, "fetch_wheels", lambda lock, _cache: fetched.append(lock))

    run_task(PulledSupply(session=session), "wheels apps")

    assert fetched == [REPOSITORY / "requirements" / "apps.txt"]
    assert "fetch Python packages of image apps" in printed.getvalue()


@pytest.mark.parametrize("name", ["image redis", "image apps", "image node"])
def test_a_kept_image_is_not_built_again(
    session: Session, fake_program: FakeProgram, printed: io.StringIO, name: str
) -> None:
    docker = fake_program("docker", "exit 0")

    run_task(BuiltSupply(session=session), name)

    assert f"{name}  cached" in printed.getvalue()
    assert len(docker.read_text().splitlines()) == 1
