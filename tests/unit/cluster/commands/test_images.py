import json
from pathlib import Path

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.commands import images
from doorbuster_cluster.commands.images import provide_images, published_reference
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import STORES
from doorbuster_cluster.errors import LockHeld
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.settings import ImagesChoice
from tests.unit.cluster.conftest import FakeProgram

OURS = Engine(address="unix:///cache/engine/docker.sock", own=True)
CHART_VALUES = "".join(
    f"{store}: {{image: {{registry: docker.io, repository: library/{store}, tag: '8.0'}}}}\n" for store in STORES
)


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
        "images": {store: session.images.reference(read_source(store)) for store in STORES},
    }


def test_published_images_are_pulled_when_missing(
    session: Session, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepared(monkeypatch, Engine(address=None, own=False), ImagesChoice.PULL)
    docker = fake_program("docker", 'case "$*" in "image inspect "*redis:8.0) ;; image*) exit 1;; esac')
    (tmp_path / "values.yaml").write_text(CHART_VALUES)
    monkeypatch.setattr(images, "CHART_VALUES", tmp_path / "values.yaml")

    provide_images(session.settings, session.progress, tmp_path / "images.json")

    pulled = {call.split()[-1] for call in docker.read_text().splitlines() if call.startswith("pull --quiet ")}
    assert pulled == {"docker.io/library/kafka:8.0", "docker.io/library/mysql:8.0"}
    assert json.loads((tmp_path / "images.json").read_text()) == {
        "docker_host": None,
        "images": {store: f"docker.io/library/{store}:8.0" for store in STORES},
    }


def test_another_run_is_not_disturbed(session: Session, tmp_path: Path) -> None:
    with held(session.settings.cache / "lock", "make up"), pytest.raises(LockHeld):
        provide_images(session.settings, session.progress, tmp_path / "images.json")

    assert not (tmp_path / "images.json").exists()
