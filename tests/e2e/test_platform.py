"""`make up`, `make down` and the releases, as a person uses them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import APPS as APPS_IMAGE
from doorbuster_cluster.commands.supply import MONITORS, OPERATOR, STORES, BuiltSupply
from doorbuster_cluster.commands.up import (
    apps_release,
    complete,
    data_release,
    observability_release,
    operator_release,
)
from doorbuster_cluster.runtime.releases import CHARTS, NAMESPACE, values_file
from doorbuster_cluster.settings import REPOSITORY
from tests.e2e.kubernetes import Kubernetes, Object, running_pod
from tests.e2e.shop import APPS
from tests.integration.cluster.test_layers import authorities_of_this_machine, found, mirrors_of_this_machine
from tests.integration.polling import seconds_until
from tests.ports import free_port

INTERRUPTED = "doorbuster-interrupted"
CHART = str(CHARTS / "data")
# Far below the grace period of the applications (45 s) and of the operator (30 s).
AT_ONCE_SECONDS = 15
COMMAND = (sys.executable, "-m", "doorbuster_cluster")


def test_running_images_are_those_of_this_tree(healthy: Kubernetes, session: Session) -> None:
    assert data_release(session, BuiltSupply(session=session)).is_current(session.tools)
    for store in STORES:
        wanted = session.registry.digest(session.images.reference(read_source(store)))
        assert running_images(healthy, f"app.kubernetes.io/component={store}") == {wanted}, store


def running_images(kubernetes: Kubernetes, selector: str) -> set[str]:
    """The digests of the images that the selected pods really run."""
    return {
        status["imageID"].rpartition("@")[2]
        for pod in kubernetes.list("pods", f"{selector},app.kubernetes.io/component!=checks")
        for status in pod["status"]["containerStatuses"]
    }


def test_the_applications_run_from_this_tree(healthy: Kubernetes, session: Session) -> None:
    supply = BuiltSupply(session=session)
    assert apps_release(session, supply).is_current(session.tools)
    assert running_images(healthy, APPS) == {session.registry.digest(session.images.reference(supply.apps))}


def test_the_operator_runs_from_this_tree(healthy: Kubernetes, session: Session) -> None:
    supply = BuiltSupply(session=session)
    assert complete(session, operator_release(session, supply)).is_current(session.tools)
    wanted = {session.registry.digest(session.images.reference(supply.operator))}
    assert running_images(healthy, "app.kubernetes.io/instance=operator") == wanted


def test_what_watches_runs_from_this_tree(healthy: Kubernetes, session: Session) -> None:
    assert complete(session, observability_release(session, BuiltSupply(session=session))).is_current(session.tools)
    wanted = {session.registry.digest(session.images.reference(read_source(name))) for name in MONITORS}
    assert running_images(healthy, "app.kubernetes.io/instance=observability") == wanted


@pytest.mark.parametrize("name", [APPS_IMAGE, OPERATOR])
def test_our_own_images_know_no_mirror_and_no_certificate_authority_of_this_machine(
    session: Session, name: str
) -> None:
    reference = session.images.reference(read_source(name))
    traces = [*mirrors_of_this_machine(), *authorities_of_this_machine()]

    assert found(session.engine, reference, traces) == set()


@pytest.mark.parametrize("deployment", ["apps-watch", "operator"])
def test_a_process_that_has_not_begun_to_listen_for_its_end_ends_at_once(healthy: Kubernetes, deployment: str) -> None:
    with running_pod(healthy, starting_pod(healthy, deployment)) as name:
        begun = time.monotonic()
        healthy.delete("pod", name)
        assert time.monotonic() - begun < AT_ONCE_SECONDS


def starting_pod(kubernetes: Kubernetes, deployment: str) -> Object:
    """Return a pod as the Deployment makes them, in which Python starts and never gets further."""
    spec = kubernetes.get("deployment", deployment)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    probes = {"startupProbe", "livenessProbe", "readinessProbe"}
    starting = {key: value for key, value in container.items() if key not in probes}
    starting["command"] = ["python3", "-c", "import time; time.sleep(300)"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{deployment}-starting"},
        "spec": {**spec, "containers": [starting]},
    }


def test_a_second_up_changes_nothing(healthy: Kubernetes) -> None:
    before = pods_of_releases(healthy)
    printed = subprocess.run([*COMMAND, "up"], capture_output=True, text=True, timeout=300, check=True).stdout
    for release in ("data", "observability", "operator", "apps"):
        assert f"release {release}" in printed
    assert "install" not in printed
    assert pods_of_releases(healthy) == before


def pods_of_releases(kubernetes: Kubernetes) -> set[str]:
    """The identities of the pods that charts made; other tests have pods of their own meanwhile, or run `helm test`."""
    ours = "app.kubernetes.io/instance,app.kubernetes.io/component!=checks"
    return {pod["metadata"]["uid"] for pod in kubernetes.list("pods", ours)}


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


def from_values(session: Session, namespace: str = NAMESPACE, release: str = "data") -> tuple[str, ...]:
    """Return helm's options for the values that `make up` wrote."""
    return ("--namespace", namespace, "--values", str(values_file(session.settings, release)))
