"""The operator's own process: `python -m doorbuster_operator` with the environment that its chart gives to its pod.

What a pod gets from the cluster is replaced: the API server's address and the token come by a kubeconfig, ports are
free ones, and ticks are shorter than a person would want them.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from doorbuster_cluster.settings import REPOSITORY
from tests.fetching import fetched
from tests.integration.polling import seconds_until
from tests.operator_api.children import Child
from tests.operator_api.operator_release import pod_spec
from tests.ports import free_port
from tests.unit.charts.rendering import Manifest

SOURCES = REPOSITORY / "operator" / "src"
PREFIX = "DOORBUSTER_OPERATOR_"
TICK_SECONDS = 1.0
# The most that the settings allow with such a tick.
REQUEST_SECONDS = 0.25
START_SECONDS = 30.0
# For a few ticks; two cores may be busy with other tests.
TICKS_SECONDS = 20.0
# Of a pod's grace period.
END_SECONDS = 15.0
ASK_SECONDS = 2.0
# Logs are JSON; a warning of Python stands by itself.
COMPLAINT = re.compile(r"Traceback|^\S+:\d+: \w*Warning: ")
# What this process needs of the machine, and nothing that it could find a cluster by.
OF_THE_MACHINE = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator process, running or not."""

    child: Child
    metrics_port: int
    liveness_port: int

    def start(self) -> None:
        """Start it and return when it ticks."""
        self.launch()
        self.wait_ticking()

    def launch(self) -> None:
        """Start it and return at once."""
        self.child.start()

    def wait_ticking(self) -> None:
        """Return when a tick has ended."""
        seconds_until(
            lambda: not self.child.runs or (self.metric("operator_last_tick_timestamp_seconds") or 0) > 0,
            within_seconds=START_SECONDS,
            what=f"{self.child.name} ticks",
        )
        self.child.assert_runs()

    def wait_ticks(self, ticks: int = 3) -> None:
        """Return when so many more ticks have ended: what didn't happen by then doesn't happen."""
        before = self._ticks()
        seconds_until(
            lambda: self._ticks() >= before + ticks, within_seconds=TICKS_SECONDS, what=f"{ticks} more ticks have ended"
        )

    def _ticks(self) -> float:
        return self.metric("operator_tick_seconds_count") or 0.0

    def stop(self) -> int | None:
        """End it as Kubernetes does; return its exit status."""
        return self.child.stop(within_seconds=END_SECONDS)

    def metric(self, name: str, **labels: str) -> float | None:
        """Return the value of a metric; None when it has no such sample."""
        for family in text_string_to_metric_families(self._ask(self.metrics_port, "metrics")):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None

    def complaints(self) -> list[str]:
        """Return the lines of its output that tell of a crash, or of a warning of Python."""
        return [line for line in self.child.output().splitlines() if COMPLAINT.search(line)]

    def alive(self) -> bool:
        """Whether its liveness probe succeeds."""
        try:
            self._ask(self.liveness_port, "healthz")
        except OSError:
            return False
        return True

    def _ask(self, port: int, path: str) -> str:
        return fetched(f"http://127.0.0.1:{port}/{path}", within_seconds=ASK_SECONDS).decode()


@contextmanager
def operator_process(
    folder: Path, *, namespace: str, kubeconfig: Path, prometheus: str, identity: str = "first"
) -> Iterator[Operator]:
    """Yield an operator that isn't started yet; it is gone when the block ends, and a failure shows what it printed."""
    metrics_port, liveness_port = free_port(), free_port()
    own = {
        "PROMETHEUS_URL": prometheus,
        "NAMESPACE": namespace,
        "TICK_SECONDS": str(TICK_SECONDS),
        "REQUEST_SECONDS": str(REQUEST_SECONDS),
        "IDENTITY": identity,
        "METRICS_PORT": str(metrics_port),
        "LIVENESS_PORT": str(liveness_port),
        "KUBECONFIG": str(kubeconfig),
    }
    environment = {**environment_of_pod(namespace), **{f"{PREFIX}{name}": value for name, value in own.items()}}
    child = Child(
        name=f"operator {identity}",
        # The image's Python is another one; the rest is what a pod runs.
        argv=[sys.executable, *_container(namespace)["command"][1:]],
        log=folder / f"operator-{identity}.log",
        environment=environment,
    )
    try:
        yield Operator(child=child, metrics_port=metrics_port, liveness_port=liveness_port)
    finally:
        child.kill()
        # pytest shows it only for a test that failed.
        print(f"== {child.name}\n{child.output()[-20_000:]}")  # noqa: T201


def environment_of_pod(namespace: str) -> Mapping[str, str]:
    """Return what the chart sets by itself, and what Python needs."""
    chart = {each["name"]: str(each["value"]) for each in _container(namespace)["env"] if "value" in each}
    machine = {name: os.environ[name] for name in OF_THE_MACHINE if name in os.environ}
    python = {"PYTHONPATH": str(SOURCES), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "default"}
    return {**machine, **chart, **python}


def _container(namespace: str) -> Manifest:
    (container,) = pod_spec(namespace)["containers"]
    found: Manifest = container
    return found
