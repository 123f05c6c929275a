"""`make up`, `make down` and the releases, as a person uses them."""

import os
import signal
import subprocess
import sys

from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import STORES, BuiltSupply
from doorbuster_cluster.commands.up import data_release
from doorbuster_cluster.settings import REPOSITORY
from tests.e2e.kubernetes import Kubernetes
from tests.integration.polling import seconds_until
from tests.ports import free_port

INTERRUPTED = "doorbuster-interrupted"
COMMAND = (sys.executable, "-m", "doorbuster_cluster")


def test_running_images_are_those_of_this_tree(healthy: Kubernetes, session: Session) -> None:
    assert data_release(session, BuiltSupply(session=session)).is_current(session.tools)
    for store in STORES:
        wanted = session.registry.digest(session.images.reference(read_source(store)))
        running = {
            status["imageID"].rpartition("@")[2]
            for pod in healthy.list("pods", {"app.kubernetes.io/component": store})
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
