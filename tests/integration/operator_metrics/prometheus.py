"""A Prometheus from our image, which scrapes pods of a test each second and adds the labels that the chart adds."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from testcontainers.core.container import DockerContainer
from testcontainers.core.exceptions import ContainerStartException

from tests.fetching import fetched
from tests.integration.operator_metrics.exporter import FOLDER, Pods
from tests.integration.polling import seconds_until
from tests.ports import free_port

SCRAPE_SECONDS = 1.0
START_SECONDS = 60.0
ASK_SECONDS = 2.0
CONFIGURATION = "/etc/prometheus/prometheus.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """A server that runs."""

    address: str
    container: DockerContainer

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it stand still while the block lasts, as on a node without any processor time."""
        wrapped = self.container.get_wrapped_container()
        wrapped.pause()
        try:
            yield
        finally:
            wrapped.unpause()


def configuration(pods: Pods) -> str:
    """Return Prometheus' configuration for the pods."""
    places = sorted({(each.namespace, each.pod) for each in pods.series})
    targets = [
        {
            "targets": [pods.address],
            "labels": {
                "namespace": namespace, "pod": pod, "component": "c", "release": "apps",
                "__metrics_path__": f"{FOLDER}{pod}",
            },
        }
        for namespace, pod in places
    ]  # fmt: skip
    interval = f"{SCRAPE_SECONDS:g}s"
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": interval, "scrape_timeout": interval},
            "scrape_configs": [{"job_name": "pods", "static_configs": targets}],
        }
    )


@contextmanager
def running_prometheus(image: str, pods: Pods, folder: Path) -> Iterator[Prometheus]:
    """Yield a Prometheus that is ready; it shares the host's network, where the pods are."""
    file = folder / "prometheus.yml"
    file.write_text(configuration(pods))
    file.chmod(0o644)
    folder.chmod(0o755)
    port = free_port()
    container = (
        DockerContainer(image)
        .with_command(
            f"--config.file={CONFIGURATION} --storage.tsdb.path=/prometheus --web.listen-address=127.0.0.1:{port}"
        )
        .with_volume_mapping(str(file), CONFIGURATION, "ro")
        .with_tmpfs_mount("/prometheus", size="size=256m")
        .with_kwargs(network_mode="host", read_only=True, cap_drop=["ALL"], mem_limit="512m")
    )
    try:
        container.start()
        address = f"http://127.0.0.1:{port}"
        seconds_until(lambda: _is_ready(address), within_seconds=START_SECONDS, what="Prometheus is ready")
        yield Prometheus(address=address, container=container)
    finally:
        # pytest shows it only for a test that failed.
        print(*_logs(container))  # noqa: T201
        container.stop(force=True)


def _logs(container: DockerContainer) -> Iterator[str]:
    with suppress(ContainerStartException):
        yield from (part.decode(errors="replace") for part in container.get_logs())


def _is_ready(address: str) -> bool:
    return b"Ready" in fetched(f"{address}/-/ready", within_seconds=ASK_SECONDS)
