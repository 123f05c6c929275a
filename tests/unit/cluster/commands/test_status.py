import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from doorbuster_cluster.commands.status import show_status
from doorbuster_cluster.settings import Settings
from tests.unit.cluster.conftest import FakeProgram

RELEASES = [{"name": "data", "chart": "data-0.1.0", "status": "deployed", "updated": "2026-11-21 10:00:00.123 +0000"}]


def pod(name: str, phase: str, *states: str, restarts: int = 0) -> dict[str, object]:
    told = [{"ready": state == "ready", "restartCount": restarts} for state in states]
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{}] * max(1, len(states))},
        "status": {"phase": phase, **({"containerStatuses": told} if told else {})},
    }


def a_cluster(fake_program: FakeProgram, *pods: dict[str, object]) -> Path:
    fake_program("docker", "echo x")
    fake_program("helm", f"[ \"$1\" = version ] && echo v4.3.1 || echo '{json.dumps(RELEASES)}'")
    return fake_program("kubectl", f"[ \"$1\" = version ] && echo v1.35.4 || echo '{json.dumps({'items': pods})}'")


@pytest.mark.parametrize(
    ("pods", "ready"),
    [
        pytest.param([pod("mysql-0", "Running", "ready"), pod("redis-0", "Running", "ready", "ready")], True, id="all"),
        pytest.param([pod("mysql-0", "Running", "ready", "starting")], False, id="a container isn't"),
        pytest.param([pod("mysql-0", "Pending")], False, id="a pod has not begun"),
        pytest.param([pod("prepare-x", "Succeeded", "ended")], True, id="a job has ended"),
        pytest.param([], True, id="none"),
    ],
)
def test_ready_means_every_container_of_every_pod_that_runs(
    shop: Settings, console: Console, fake_program: FakeProgram, pods: list[dict[str, object]], *, ready: bool
) -> None:
    a_cluster(fake_program, *pods)

    assert show_status(shop, console) is ready


def test_one_screen_says_what_is_there(
    shop: Settings, console: Console, fake_program: FakeProgram, printed: io.StringIO
) -> None:
    a_cluster(fake_program, pod("mysql-0", "Running", "ready", "starting", restarts=2))

    show_status(shop, console)

    lines = [" ".join(line.split()) for line in printed.getvalue().splitlines()]
    assert "engine this machine's" in lines
    assert "cluster shop: http://127.0.0.1:8080" in lines
    assert f"kubectl export KUBECONFIG={shop.kubeconfig}" in lines
    assert "data data-0.1.0 deployed 2026-11-21 10:00:00" in lines
    assert "mysql-0 1/2 4" in lines


def test_without_a_cluster_the_way_to_one_is_shown(
    shop: Settings, console: Console, fake_program: FakeProgram, printed: io.StringIO
) -> None:
    fake_program("docker", "exit 1")

    assert not show_status(shop, console)
    assert "shop: not there; `make up` makes it" in printed.getvalue()


def test_our_own_engine_is_named_with_its_address(
    shop: Settings, console: Console, fake_program: FakeProgram, printed: io.StringIO
) -> None:
    (shop.cache / "engine").mkdir(parents=True)
    (shop.cache / "engine" / "docker.sock").touch()
    fake_program("docker", '[ "$1" = info ]')

    show_status(shop, console)

    assert f"engine    our own (unix://{shop.cache}/engine/docker.sock)" in printed.getvalue()
