import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.commands import down
from doorbuster_cluster.commands.down import bring_down
from doorbuster_cluster.errors import HostNotRestored, LockHeld
from doorbuster_cluster.host.kernel import read_boot_id
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.host.machine_state import MachineState, write_record
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import Settings
from tests.unit.cluster.conftest import FakeProgram
from tests.unit.cluster.host.states import UNUSED

BEFORE = replace(UNUSED, boot_id=read_boot_id())
REMOVE_NODE = "rm --force --volumes shop-control-plane"
REMOVE_REGISTRY = "rm --force --volumes doorbuster-registry"


@pytest.fixture
def docker(fake_program: FakeProgram) -> Path:
    """An engine of the person's that has neither node nor network of the cluster."""
    return fake_program("docker", 'case "$*" in "network inspect "*) exit 1;; esac')


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> list[MachineState]:
    """The states to which the machine was brought back; it isn't touched."""
    states: list[MachineState] = []
    monkeypatch.setattr(down, "restore", lambda before, _folder: states.append(before))
    return states


def has_state(shop: Settings, *clusters: str) -> None:
    for name in clusters:
        (shop.cache / "clusters" / name / "values").mkdir(parents=True)


def record(shop: Settings) -> Path:
    path = shop.cache / "machine.json"
    write_record(path, BEFORE)
    return path


def test_the_last_cluster_takes_registry_and_record_with_it(
    shop: Settings, progress: Progress, docker: Path, restored: list[MachineState]
) -> None:
    has_state(shop, "shop")
    kept = record(shop)

    bring_down(shop, progress)

    calls = docker.read_text().splitlines()
    assert calls.index("network disconnect --force shop doorbuster-registry") < calls.index(REMOVE_NODE)
    assert calls.index(REMOVE_NODE) < calls.index(REMOVE_REGISTRY)
    assert restored == [BEFORE]
    assert not kept.exists()
    assert not shop.state.exists()


@pytest.mark.parametrize("others", [("kitchen",), ("kitchen", "test")])
def test_registry_and_engine_stay_while_another_cluster_has_state(
    shop: Settings,
    progress: Progress,
    docker: Path,
    restored: list[MachineState],
    printed: io.StringIO,
    others: tuple[str, ...],
) -> None:
    has_state(shop, "shop", *others)
    kept = record(shop)

    bring_down(shop, progress)

    calls = docker.read_text().splitlines()
    assert REMOVE_NODE in calls
    assert REMOVE_REGISTRY not in calls
    assert (restored, kept.exists()) == ([], True)
    assert sorted(folder.name for folder in (shop.cache / "clusters").iterdir()) == sorted(others)
    assert f"engine and registry stay for: {', '.join(others)}" in printed.getvalue()


@pytest.mark.usefixtures("docker")
def test_without_a_record_there_is_nothing_to_restore(
    shop: Settings, progress: Progress, restored: list[MachineState]
) -> None:
    bring_down(shop, progress)

    assert restored == []


@pytest.mark.usefixtures("docker")
def test_a_machine_that_is_not_as_it_was_keeps_its_record(
    shop: Settings, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = record(shop)

    def fail(_before: MachineState, _folder: Path) -> None:
        raise HostNotRestored("the machine is not as it was before")

    monkeypatch.setattr(down, "restore", fail)

    with pytest.raises(HostNotRestored):
        bring_down(shop, progress)

    assert kept.exists()


def test_a_run_that_was_killed_before_there_was_docker_can_be_undone(
    shop: Settings, progress: Progress, restored: list[MachineState], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorbuster_cluster.builds.engine.find_program", lambda _name: None)
    record(shop)

    bring_down(shop, progress)

    assert len(restored) == 1


@pytest.mark.usefixtures("docker", "restored")
def test_packages_that_stay_are_told(shop: Settings, progress: Progress, printed: io.StringIO) -> None:
    shop.cache.mkdir()
    (shop.cache / "packages.json").write_text(json.dumps(["docker.io", "maven"]))

    bring_down(shop, progress)

    assert f"2 Debian packages stay installed; {shop.cache}/packages.json lists them" in printed.getvalue()
    assert (shop.cache / "packages.json").exists()


@pytest.mark.usefixtures("restored")
def test_our_engine_is_started_again_to_be_taken_apart(
    shop: Settings, progress: Progress, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program("docker", 'case "$*" in "network inspect "*) exit 1;; esac')
    engine = shop.cache / "engine"
    engine.mkdir(parents=True)
    # Its pid file is left, its socket doesn't answer: it was killed.
    (engine / "pid").write_text("1")
    started: list[Path] = []
    monkeypatch.setattr("doorbuster_cluster.runtime.own_engine.OwnEngine.start", lambda own: started.append(own.folder))

    bring_down(shop, progress)

    assert started == [engine]
    assert not (engine / "pid").exists()


def test_another_run_is_not_disturbed(shop: Settings, progress: Progress, docker: Path) -> None:
    with held(shop.cache / "lock", "make up"), pytest.raises(LockHeld):
        bring_down(shop, progress)

    assert not docker.exists()
