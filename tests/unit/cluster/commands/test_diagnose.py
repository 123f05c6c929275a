import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from doorbuster_cluster.commands import diagnose
from doorbuster_cluster.commands.diagnose import write_bundle
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import Settings
from tests.unit.cluster.conftest import FakeProgram

NOW = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
KUBECTL = """
case "$*" in
  "version --client") echo "Client Version: v1.35.4";;
  "get pods "*name) printf 'pod/mysql-0\\npod/redis-0\\n';;
  "get secrets"*) echo leaked;;
  *--previous) echo "previous terminated container not found" >&2; exit 1;;
  *) echo "answer to $1 $2";;
esac
"""


@pytest.fixture
def programs(fake_program: FakeProgram) -> Path:
    """Return the list of kubectl's calls."""
    fake_program("docker", 'echo "docker $1"')
    fake_program("helm", '[ "$1" = version ] && echo v4.3.1 || echo releases')
    return fake_program("kubectl", KUBECTL)


def bundle(shop: Settings, progress: Progress, folder: Path) -> dict[str, str]:
    made = write_bundle(shop, progress, folder=folder, now=NOW)
    assert made == folder / "diagnose-shop-20261121-030405"
    return {path.name: path.read_text() for path in made.iterdir()}


@pytest.mark.usefixtures("programs")
def test_a_bundle_holds_engine_node_objects_events_and_every_pods_logs(
    shop: Settings, progress: Progress, tmp_path: Path
) -> None:
    files = bundle(shop, progress, tmp_path / "out")

    assert sorted(files) == sorted(
        ["engine.txt", "containers.txt", "node.log", "kubelet.log", "containerd.log", "objects.txt", "objects.yaml"]
        + ["events.txt", "releases.txt", "scalers.yaml", "prometheus-targets.json", "prometheus-alerts.json"]
        + [f"{pod}.{kind}" for pod in ("mysql-0", "redis-0") for kind in ("describe.txt", "log", "previous.log")]
    )
    assert files["node.log"] == "docker logs\n"
    assert files["events.txt"] == "answer to get events\n"
    assert files["mysql-0.log"] == "answer to logs pod/mysql-0\n"
    assert files["scalers.yaml"] == "answer to get consumerscalers.doorbuster.dev\n"
    assert files["prometheus-alerts.json"] == "answer to get --raw\n"


@pytest.mark.usefixtures("programs")
def test_a_question_without_an_answer_leaves_its_error(shop: Settings, progress: Progress, tmp_path: Path) -> None:
    files = bundle(shop, progress, tmp_path)

    assert files["redis-0.previous.log"] == "\nended with 1\nprevious terminated container not found\n"


def test_secrets_are_not_asked_for(shop: Settings, progress: Progress, tmp_path: Path, programs: Path) -> None:
    bundle(shop, progress, tmp_path)

    assert "secret" not in programs.read_text()


def test_an_api_server_that_does_not_answer_in_time_leaves_the_rest(
    shop: Settings, progress: Progress, tmp_path: Path, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program("docker", 'echo "docker $1"')
    fake_program("helm", '[ "$1" = version ] && echo v4.3.1 || echo releases')
    fake_program("kubectl", '[ "$1" = version ] && echo v1.35.4 || exec sleep 60')
    monkeypatch.setattr(diagnose, "ASK_SECONDS", 0.5)

    files = bundle(shop, progress, tmp_path)

    assert files["engine.txt"] == "docker info\n"
    assert files["releases.txt"] == "releases\n"
    assert "did not end within" in files["events.txt"]


def test_a_machine_without_any_program_still_gives_a_bundle(
    shop: Settings, progress: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: io.StringIO
) -> None:
    for module in ("builds.engine", "runtime.toolbox", "host.programs"):
        monkeypatch.setattr(f"doorbuster_cluster.{module}.find_program", lambda _name: None)

    files = bundle(shop, progress, tmp_path)

    assert "there is no docker client" in files["engine.txt"]
    assert "could not be started" in files["objects.txt"]
    assert "✓" in printed.getvalue()
