"""`make up`, `make down` and the releases, as a person uses them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import yaml

from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import STORES, BuiltSupply
from doorbuster_cluster.commands.up import data_release
from doorbuster_cluster.runtime.releases import CHARTS, NAMESPACE
from doorbuster_cluster.runtime.secrets import KEYS_BY_SECRET, namespace_manifest
from doorbuster_cluster.settings import REPOSITORY
from tests.e2e.conftest import Figures
from tests.e2e.kubernetes import Kubernetes
from tests.integration.polling import seconds_until
from tests.ports import free_port

INTERRUPTED = "doorbuster-interrupted"
CHART = str(CHARTS / "data")
COMMAND = (sys.executable, "-m", "doorbuster_cluster")


def test_running_images_are_those_of_this_tree(healthy: Kubernetes, session: Session) -> None:
    assert data_release(session, BuiltSupply(session=session)).is_current(session.tools)
    for store in STORES:
        wanted = session.registry.digest(session.images.reference(read_source(store)))
        running = {
            status["imageID"].rpartition("@")[2]
            for pod in healthy.list("pods", f"app.kubernetes.io/component={store}")
            for status in pod["status"]["containerStatuses"]
        }
        assert running == {wanted}, store


def test_a_second_up_changes_nothing(healthy: Kubernetes) -> None:
    before = {pod["metadata"]["uid"] for pod in healthy.list("pods")}
    printed = subprocess.run([*COMMAND, "up"], capture_output=True, text=True, timeout=300, check=True).stdout
    assert "release data" in printed
    assert "install" not in printed
    assert {pod["metadata"]["uid"] for pod in healthy.list("pods")} == before


def test_an_interrupted_up_is_taken_down_without_a_trace(session: Session) -> None:
    environment = {**os.environ, "DOORBUSTER_CLUSTER": INTERRUPTED, "DOORBUSTER_PORT": str(free_port())}
    node = f"{INTERRUPTED}-control-plane"
    up = subprocess.Popen([*COMMAND, "up"], env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        seconds_until(
            lambda: node in session.engine.docker("ps", "--format", "{{.Names}}"),
            within_seconds=120,
            what="the node's container is there",
        )
    finally:
        os.killpg(up.pid, signal.SIGKILL)
        up.wait(timeout=30)
        subprocess.run([*COMMAND, "down"], env=environment, cwd=REPOSITORY, timeout=300, check=True)
    assert node not in session.engine.docker("ps", "--all", "--format", "{{.Names}}")
    assert INTERRUPTED not in session.engine.docker("network", "ls", "--format", "{{.Name}}")
    assert not (session.settings.cache / "clusters" / INTERRUPTED).exists()
    # The cluster under test was never touched.
    assert session.cluster.exists()


def test_the_releases_own_test_passes(healthy: Kubernetes, session: Session) -> None:
    assert "Succeeded" in session.tools.helm("test", "data", "--namespace", NAMESPACE, timeout_seconds=180)


def test_a_change_of_size_is_refused(healthy: Kubernetes, session: Session) -> None:
    answer = session.tools.try_helm("upgrade", "data", CHART, *from_values(session), "--set", "size=small")
    assert not answer.ok
    assert "this release has size ha and can't become small" in answer.stderr


def test_size_small_serves(healthy: Kubernetes, session: Session, small: Kubernetes, figures: Figures) -> None:
    began = time.monotonic()
    session.tools.helm(
        "install", "data", CHART, *from_values(session, small.namespace), "--set", "size=small",
        "--wait", "--timeout", "4m", timeout_seconds=270,
    )  # fmt: skip
    figures.seconds("Size small: installed and ready", time.monotonic() - began)
    assert "Succeeded" in session.tools.helm("test", "data", "--namespace", small.namespace, timeout_seconds=180)
    assert len(small.list("pods", "app.kubernetes.io/component in (mysql,redis,kafka)")) == len(STORES)


@pytest.fixture
def small(session: Session) -> Iterator[Kubernetes]:
    """A namespace of its own with the Secrets that the chart wants; gone afterwards with everything in it."""
    namespace = "doorbuster-small"
    manifest = namespace_manifest()
    manifest["metadata"] = {**dict(manifest["metadata"]), "name": namespace}  # type: ignore[call-overload]
    session.tools.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    try:
        for name, keys in KEYS_BY_SECRET.items():
            literals = [f"--from-literal={key}=e2e-{key}" for key in keys]
            session.tools.kubectl("create", "secret", "generic", name, "--namespace", namespace, *literals)
        yield Kubernetes(tools=session.tools, namespace=namespace)
    finally:
        session.tools.kubectl("delete", "namespace", namespace, timeout_seconds=180)


def from_values(session: Session, namespace: str = NAMESPACE) -> tuple[str, ...]:
    """Return helm's options for the values that `make up` wrote."""
    return ("--namespace", namespace, "--values", str(session.settings.state / "values" / "data.yaml"))
