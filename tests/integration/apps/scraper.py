"""Our Prometheus in a container, with the chart's alert rules, reading processes that run on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from testcontainers.core.container import DockerContainer

from tests.integration.polling import seconds_until
from tests.metric_names import RULES
from tests.ports import free_port

ANSWER_SECONDS = 10
READY_SECONDS = 60
# Faster than in a cluster, so that a test waits for less.
SCRAPE_SECONDS = 1

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraper:
    """A running Prometheus."""

    address: str

    def ask(self, expression: str) -> Sequence[Mapping[str, Json]]:
        """Return the series that an expression has now, each with `metric` and `value`.

        Raises:
            httpx.HTTPStatusError: the expression is no PromQL, or can't be evaluated.
        """
        found: Sequence[Mapping[str, Json]] = self._get("query", query=expression)["result"]
        return found

    def up(self) -> set[str]:
        """Return the components that were read the last time."""
        return {each["metric"]["component"] for each in self.ask("up == 1")}

    def described(self) -> set[str]:
        """Return the families that some process describes."""
        return set(self._get("metadata"))

    def sampled(self) -> set[str]:
        """Return the names of all series, with `_bucket` and the like."""
        return set(self._get("label/__name__/values"))

    def rules(self) -> Mapping[str, str]:
        """Return the health of each alert rule by its name."""
        groups = self._get("rules", type="alert")["groups"]
        return {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}

    def ready(self) -> bool:
        """Tell whether it answers."""
        return httpx.get(f"{self.address}/-/ready", timeout=ANSWER_SECONDS, trust_env=False).is_success

    def _get(self, path: str, **parameters: str) -> Json:
        address = f"{self.address}/api/v1/{path}"
        answer = httpx.get(address, params=parameters, timeout=ANSWER_SECONDS, trust_env=False)
        return answer.raise_for_status().json()["data"]


@contextmanager
def running_scraper(image: str, targets: Mapping[str, int], folder: Path) -> Iterator[Scraper]:
    """Run Prometheus on the machine's own network until the context ends.

    Args:
        image: our image.
        targets: the port of each process' metrics by the component that the chart would call it.
        folder: where its configuration is written.
    """
    port = free_port()
    configuration = folder / "prometheus.yaml"
    configuration.write_text(yaml.safe_dump(_configuration(targets)))
    configuration.chmod(0o644)
    container = DockerContainer(image).with_command(
        [
            "--config.file=/etc/prometheus/prometheus.yaml",
            "--storage.tsdb.path=/prometheus",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
    )
    container.with_volume_mapping(str(configuration), "/etc/prometheus/prometheus.yaml", "ro")
    container.with_volume_mapping(str(RULES), "/etc/prometheus/rules", "ro")
    container.with_tmpfs_mount("/prometheus", "size=64m,mode=1777")
    container.with_kwargs(
        network_mode="host",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit="512m",
    )
    scraper = Scraper(address=f"http://127.0.0.1:{port}")
    with container:
        try:
            seconds_until(scraper.ready, within_seconds=READY_SECONDS, what="Prometheus is ready")
            yield scraper
        finally:
            # pytest shows it only for a test that failed.
            print(f"== prometheus\n{container.get_wrapped_container().logs().decode()[-10_000:]}")  # noqa: T201


def _configuration(targets: Mapping[str, int]) -> dict[str, Json]:
    static = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"component": name, "pod": f"{name}-0", "release": "apps"}}
        for name, port in targets.items()
    ]
    return {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": f"{SCRAPE_SECONDS}s"},
        "rule_files": ["/etc/prometheus/rules/*.yaml"],
        "scrape_configs": [{"job_name": "pods", "static_configs": static}],
    }
