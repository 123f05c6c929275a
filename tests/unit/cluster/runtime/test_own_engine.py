import json
from pathlib import Path

import pytest

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import run
from doorbuster_cluster.runtime import own_engine
from doorbuster_cluster.runtime.own_engine import LONGEST_FOLDER, SHIM, OwnEngine
from tests.unit.cluster.conftest import FakeProgram


def test_its_clients_reach_it_by_its_own_socket(tmp_path: Path) -> None:
    engine = OwnEngine(folder=tmp_path).engine

    assert (engine.address, engine.own) == (f"unix://{tmp_path}/docker.sock", True)


def test_without_a_socket_nobody_is_asked(tmp_path: Path, fake_program: FakeProgram) -> None:
    docker = fake_program("docker", "exit 0")

    assert not OwnEngine(folder=tmp_path).answers()
    assert not docker.exists()


@pytest.mark.parametrize(("status", "expected"), [(0, True), (1, False)])
def test_a_socket_alone_is_no_answer(tmp_path: Path, fake_program: FakeProgram, status: int, *, expected: bool) -> None:
    (tmp_path / "docker.sock").touch()
    fake_program("docker", f"exit {status}")

    assert OwnEngine(folder=tmp_path).answers() is expected


def test_an_engine_that_answers_is_not_started_again(tmp_path: Path, fake_program: FakeProgram) -> None:
    (tmp_path / "docker.sock").touch()
    fake_program("docker", "exit 0")
    dockerd = fake_program("dockerd", "exit 1")

    OwnEngine(folder=tmp_path).start()

    assert not dockerd.exists()


def test_a_folder_too_long_for_sockets_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * LONGEST_FOLDER)

    with pytest.raises(ClusterError, match="is too long a path for an engine's sockets") as refusal:
        OwnEngine(folder=folder).start()

    assert refusal.value.hint == "set DOORBUSTER_CACHE to a shorter folder"
    assert not folder.exists()


@pytest.mark.parametrize("capability", [True, None], ids=["held", "not known"])
def test_with_all_capabilities_the_engine_is_as_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, capability: bool | None
) -> None:
    monkeypatch.setattr(own_engine, "has_capability", lambda _: capability)

    assert OwnEngine(folder=tmp_path)._configuration() == {}


def test_without_sys_resource_containers_are_made_by_the_shim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_engine, "has_capability", lambda _: False)

    configuration = OwnEngine(folder=tmp_path)._configuration()

    shim = tmp_path / SHIM.name
    assert configuration == {
        "runtimes": {"fewer-capabilities": {"path": str(shim)}},
        "default-runtime": "fewer-capabilities",
    }
    assert shim.stat().st_mode & 0o111


def test_the_shim_takes_one_capability_away_and_hands_over(tmp_path: Path, fake_program: FakeProgram) -> None:
    runc = fake_program("runc", "")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    names = ["CAP_SYS_RESOURCE", "CAP_NET_ADMIN", "CAP_SYS_RESOURCE"]
    (bundle / "config.json").write_text(json.dumps({"bounding": names, "effective": names[:2]}, separators=(",", ":")))

    run([SHIM, "--log", "x", "create", "--bundle", bundle, "name"])

    assert json.loads((bundle / "config.json").read_text()) == {
        "bounding": ["CAP_NET_ADMIN"],
        "effective": ["CAP_NET_ADMIN"],
    }
    assert runc.read_text() == f"--log x create --bundle {bundle} name\n"


def test_stopping_what_does_not_run_takes_leftovers_away(tmp_path: Path) -> None:
    for leftover in ("docker.sock", "pid"):
        (tmp_path / leftover).touch()
    (tmp_path / "exec").mkdir()
    (tmp_path / "data").mkdir()

    OwnEngine(folder=tmp_path).stop()

    # Images are kept; they are what was expensive.
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
