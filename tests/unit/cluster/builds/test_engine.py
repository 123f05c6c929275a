import os
from pathlib import Path

import pytest

from doorbuster_cluster.builds import engine
from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.errors import CommandFailed
from tests.unit.cluster.conftest import FakeProgram

THEIRS = Engine(address=None, own=False)


def test_an_engine_with_an_address_is_spoken_to_there_whatever_the_persons_context(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere")
    monkeypatch.setenv("DOCKER_CONTEXT", "colima")

    environment = Engine(address="unix:///ours", own=True).environment()

    assert environment["DOCKER_HOST"] == "unix:///ours"
    assert "DOCKER_CONTEXT" not in environment
    assert environment["PATH"] == os.environ["PATH"]


def test_the_persons_engine_is_found_by_the_persons_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "colima")

    environment = THEIRS.environment()

    assert "DOCKER_HOST" not in environment
    assert environment["DOCKER_CONTEXT"] == "colima"


def test_builds_never_need_buildkit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_BUILDKIT", "1")

    assert THEIRS.environment()["DOCKER_BUILDKIT"] == "0"


def test_an_answer_is_returned_and_a_refusal_raised(fake_program: FakeProgram) -> None:
    fake_program("docker", 'if [ "$1" = info ]; then echo fine; else echo "no such image" >&2; exit 1; fi')

    assert THEIRS.docker("info") == "fine\n"
    assert not THEIRS.has_image("x:1")
    with pytest.raises(CommandFailed, match="no such image"):
        THEIRS.docker("push", "x:1")


def test_without_a_docker_client_nothing_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engine, "find_program", lambda _name: None)

    answer = THEIRS.try_docker("info")

    assert (answer.returncode, answer.stderr) == (127, "there is no docker client")
    assert not THEIRS.has_image("x:1")
