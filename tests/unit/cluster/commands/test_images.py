import json
from pathlib import Path

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.commands import images
from doorbuster_cluster.commands.images import provide_images, published_reference
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import MONITORS, STORES
from doorbuster_cluster.errors import LockHeld
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.settings import ImagesChoice
from tests.unit.cluster.conftest import FakeProgram

OURS = Engine(address="unix:///cache/engine/docker.sock", own=True)
IMAGES = (*STORES, *MONITORS)


def values_of(name: str) -> str:
    """Return a section of a chart's values."""
    return f"{name}: {{image: {{registry: docker.io, repository: library/{name}, tag: '8.0'}}}}\n"


def prepared(monkeypatch: pytest.MonkeyPatch, engine: Engine, choice: ImagesChoice) -> None:
    monkeypatch.setattr(images, "prepare_machine", lambda _settings, _progress: (engine, choice))


def test_a_published_reference_is_what_a_chart_pulls() -> None:
    assert published_reference({"registry": "docker.io", "repository": "a/b", "tag": "1"}) == "docker.io/a/b:1"


def test_built_images_are_written_down_with_their_engine(
    session: Session, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepared(monkeypatch, OURS, ImagesChoice.BUILD)
    fake_program("docker", "exit 0")

    provide_images(session.settings, session.progress, tmp_path / "out" / "images.json")

    assert json.loads((tmp_path / "out" / "images.json").read_text()) == {
        "docker_host": OURS.address,
        "images": {name: session.images.reference(read_source(name)) for name in IMAGES},
    }


def test_published_images_are_pulled_when_missing(
    session: Session, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepared(monkeypatch, Engine(address=None, own=False), ImagesChoice.PULL)
    docker = fake_program("docker", 'case "$*" in "image inspect "*redis:8.0) ;; image*) exit 1;; esac')
    for chart, names in (("data", STORES), ("observability", MONITORS)):
        (tmp_path / chart).mkdir()
        (tmp_path / chart / "values.yaml").write_text("".join(map(values_of, names)))
    monkeypatch.setattr(images, "CHARTS", tmp_path)

    provide_images(session.settings, session.progress, tmp_path / "images.json")

    pulled = {call.split()[-1] for call in docker.read_text().splitlines() if call.startswith("pull --quiet ")}
    assert pulled == {f"docker.io/library/{name}:8.0" for name in IMAGES if name != "redis"}
    assert json.loads((tmp_path / "images.json").read_text()) == {
        "docker_host": None,
        "images": {name: f"docker.io/library/{name}:8.0" for name in IMAGES},
    }


def test_another_run_is_not_disturbed(session: Session, tmp_path: Path) -> None:
    with held(session.settings.cache / "lock", "make up"), pytest.raises(LockHeld):
        provide_images(session.settings, session.progress, tmp_path / "images.json")

    assert not (tmp_path / "images.json").exists()
