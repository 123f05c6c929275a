"""The cluster that `make test-e2e` brought up."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import read_settings
from tests.audit import Ask
from tests.e2e.kubernetes import Kubernetes
from tests.e2e.shop import STARTING_SECONDS, Shop, deployments
from tests.e2e.witnesses import mysql_primary, query_mysql
from tests.integration.polling import seconds_until

PowerCut = Callable[..., None]
STORES = ("statefulset/data-mysql", "statefulset/data-redis", "statefulset/data-kafka")
# A member that lost its volume is cloned, and Kafka's nodes reread their logs one after the other.
HEALING_SECONDS = 300

# The first process of a container takes all others of it along.
KILL_SCRIPT = """
set -euo pipefail
processes=()
for pod; do
  for container in $(crictl ps --quiet --label "io.kubernetes.pod.name=$pod"); do
    processes+=("$(crictl inspect --output go-template --template '{{.info.pid}}' "$container")")
  done
done
kill -KILL "${processes[@]}"
"""


@pytest.fixture(scope="session")
def session() -> Session:
    """Engine, kind, kubectl and helm for the cluster under test."""
    settings = read_settings(os.environ)
    assert settings.cluster != "doorbuster", "these tests break things: never on a person's own cluster"
    return Session(settings, Machine(settings).running_engine(), Progress(Console()))


@pytest.fixture(scope="session")
def kubernetes(session: Session) -> Kubernetes:
    """The namespace with everything of ours."""
    return Kubernetes(tools=session.tools)


@pytest.fixture
def power_cut(session: Session, kubernetes: Kubernetes) -> PowerCut:
    """Ends pods as a power cut does: SIGKILL to every process at the same moment, no shutdown, and then new pods."""

    def cut(*pods: str) -> None:
        session.engine.docker("exec", session.cluster.node, "bash", "-c", KILL_SCRIPT, "kill", *pods)
        kubernetes.replace_pods(*pods)

    return cut


@pytest.fixture
def healthy(kubernetes: Kubernetes, request: pytest.FixtureRequest) -> Kubernetes:
    """The namespace, with every store complete; so no test depends on what another one left.

    A module that breaks one store names it in BREAKS: it runs beside those that break the others.
    """
    stores = getattr(request.module, "BREAKS", STORES)
    kubernetes.wait_ready(*stores, within_seconds=HEALING_SECONDS)
    return kubernetes


@pytest.fixture
def shop(healthy: Kubernetes, session: Session) -> Shop:
    """The applications, all of them ready, behind an edge that has found them."""
    healthy.wait_ready(*(f"deployment/{name}" for name in deployments(healthy)), within_seconds=STARTING_SECONDS)
    made = Shop(settings=session.settings)
    seconds_until(made.healthy, within_seconds=STARTING_SECONDS, what="the API is healthy behind the ingress")
    return made


@pytest.fixture
def ask(healthy: Kubernetes) -> Ask:
    """Queries in the applications' database, on whoever is the primary."""

    def answer(query: str) -> list[str]:
        return query_mysql(healthy, mysql_primary(healthy), f"USE doorbuster; {query}").splitlines()

    return answer


class Figures:
    """What the tests measured; shown at the end and kept in out/e2e-figures."""

    def __init__(self) -> None:
        self.measured: dict[str, float] = {}

    def seconds(self, what: str, value: float) -> None:
        """Note a duration. Figures are for reading; no test fails because of one."""
        self.measured[what] = round(value, 1)


FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the place where all tests leave their figures."""
    config.stash[FIGURES] = Figures()


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Figures:
    """Where a test notes what it measured."""
    return pytestconfig.stash[FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the figures and keep them."""
    measured = config.stash[FIGURES].measured
    if not measured:
        return
    terminalreporter.section("measured")
    for what, seconds in measured.items():
        terminalreporter.write_line(f"{seconds:>7.1f} s  {what}")
    # Test files run beside each other in processes of their own.
    name = "+".join(Path(argument).stem for argument in config.args)
    file = config.rootpath / "out" / "e2e-figures" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(measured, indent=2) + "\n")
