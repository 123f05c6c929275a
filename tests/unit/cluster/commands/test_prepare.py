import io
from dataclasses import replace

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.commands import prepare
from doorbuster_cluster.commands.prepare import prepare_machine
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.facts import MachineFacts
from doorbuster_cluster.host.packages import Purpose
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.own_engine import OwnEngine
from doorbuster_cluster.settings import ImagesChoice, Settings
from tests.unit.cluster.conftest import FakeProgram
from tests.unit.cluster.host.machines import BARE_DEBIAN, DEBIAN, DEVELOPER, OWN_ENGINE

# The same machine as BARE_DEBIAN at each of the three looks: a docker client tells that no registry is in reach.
WITH_CLIENT = replace(DEBIAN, missing_packages={**DEBIAN.missing_packages, Purpose.BUILD: ("maven", "mmdebstrap")})
SOME = Engine(address=None, own=False)


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch, fake_program: FakeProgram) -> list[str]:
    """What would have been changed on this machine, in order."""
    fake_program("docker", "exit 0")
    made: list[str] = []
    monkeypatch.setattr(prepare, "record_machine_state", lambda _record, _folder: made.append("record"))
    monkeypatch.setattr(prepare, "install", lambda packages, _record: made.append(f"install {' '.join(packages)}"))

    def start(own: OwnEngine) -> None:
        own.folder.mkdir(parents=True, exist_ok=True)
        (own.folder / "docker.sock").touch()
        made.append("start")

    monkeypatch.setattr(OwnEngine, "start", start)
    return made


def looks(monkeypatch: pytest.MonkeyPatch, *machines: MachineFacts) -> list[MachineFacts]:
    """Let each look at the machine find the next of these; return those that nobody has seen yet."""
    unseen = list(machines)
    monkeypatch.setattr(prepare, "collect_facts", lambda _settings: unseen.pop(0))
    return unseen


def ours(shop: Settings) -> Engine:
    return Engine(address=f"unix://{shop.cache}/engine/docker.sock", own=True)


def test_an_engine_that_answers_is_taken_and_nothing_changed(
    shop: Settings, progress: Progress, changes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks(monkeypatch, DEVELOPER)

    assert prepare_machine(shop, progress) == (SOME, ImagesChoice.PULL)
    assert changes == []


def test_the_machine_is_recorded_before_the_first_change(
    shop: Settings, progress: Progress, changes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen = looks(monkeypatch, BARE_DEBIAN, DEBIAN)

    assert prepare_machine(shop, progress) == (ours(shop), ImagesChoice.BUILD)
    assert changes == ["record", "install docker.io nftables", "start"]
    assert unseen == []


def test_what_only_building_needs_is_installed_once_it_is_known_that_images_are_built(
    shop: Settings, progress: Progress, changes: list[str], monkeypatch: pytest.MonkeyPatch, printed: io.StringIO
) -> None:
    looks(monkeypatch, BARE_DEBIAN, WITH_CLIENT, DEBIAN)

    assert prepare_machine(shop, progress) == (ours(shop), ImagesChoice.BUILD)
    assert changes == ["record", "install docker.io nftables", "install maven mmdebstrap", "start"]
    assert "✓ install maven mmdebstrap" in printed.getvalue()


def test_packages_that_stay_missing_are_not_installed_for_ever(
    shop: Settings, progress: Progress, changes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks(monkeypatch, BARE_DEBIAN, WITH_CLIENT, WITH_CLIENT)

    prepare_machine(shop, progress)

    assert changes.count("install maven mmdebstrap") == 1


def test_our_engine_that_runs_is_not_recorded_as_the_machine_before(
    shop: Settings, progress: Progress, changes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = shop.cache / "engine" / "docker.sock"
    socket.parent.mkdir(parents=True)
    socket.touch()
    looks(monkeypatch, replace(DEBIAN, own_engine=OWN_ENGINE))

    prepare_machine(shop, progress)

    assert changes == ["start"]


def problems(shop: Settings, progress: Progress) -> ClusterError:
    with pytest.raises(ClusterError) as refusal:
        prepare_machine(shop, progress)
    return refusal.value


def test_problems_are_listed_with_what_to_do_and_nothing_is_changed(
    shop: Settings, progress: Progress, changes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks(monkeypatch, replace(DEBIAN, programs={}, free_disk_bytes=10**9))

    refusal = problems(shop, progress)

    lines = str(refusal).splitlines()
    assert lines[0] == "this machine isn't ready:"
    assert [line.partition(":")[0].strip() for line in lines[1::2]] == ["Go", "disk"]
    assert all(line.startswith("    → ") for line in lines[2::2])
    assert refusal.hint == "`make doctor` shows everything that was looked at"
    assert changes == []


def test_a_registry_that_nobody_can_ask_for_is_a_question_to_the_person(
    shop: Settings, progress: Progress, changes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unasked = replace(DEVELOPER, registry_reachable=None)
    looks(monkeypatch, unasked, unasked)

    assert "DOORBUSTER_IMAGES=pull or DOORBUSTER_IMAGES=build" in problems(shop, progress).hint
    assert changes == []
