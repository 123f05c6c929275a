"""A Prometheus that scrapes what a platform in small exposes."""

import time
from collections.abc import Iterator

import pytest

from doorbuster_operator.adapters.prometheus import PrometheusMetrics
from tests.contracts.metrics_source import GROUP, NAMESPACE, TOPIC, Scene, exposed_series
from tests.integration.operator_metrics.exporter import Pods, running_pods
from tests.integration.operator_metrics.prometheus import SCRAPE_SECONDS, Prometheus, running_prometheus
from tests.integration.polling import seconds_until

SCRAPED_SECONDS = 60.0
# Two cores may be busy with other tests.
REQUEST_SECONDS = 10.0


@pytest.fixture(scope="module")
def start() -> float:
    """When the counters of the shared pods began."""
    return time.time() - 10


@pytest.fixture(scope="module")
def shared_pods(start: float) -> Iterator[Pods]:
    """Pods that no test of the module changes for good."""
    with running_pods(exposed_series(start)) as made:
        yield made


@pytest.fixture(scope="module")
def prometheus(
    images: dict[str, str], shared_pods: Pods, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """A Prometheus from our image."""
    folder = tmp_path_factory.mktemp("prometheus")
    with running_prometheus(images["prometheus"], shared_pods, folder) as server:
        yield server


@pytest.fixture
def metrics(prometheus: Prometheus) -> Iterator[PrometheusMetrics]:
    """The adapter."""
    adapter = PrometheusMetrics(prometheus.address, namespace=NAMESPACE, request_seconds=REQUEST_SECONDS)
    yield adapter
    adapter.close()


@pytest.fixture
def scene(metrics: PrometheusMetrics, start: float) -> Scene:
    """After three scrapes of everything."""
    seconds_until(
        lambda: _scraped(metrics) >= 3, within_seconds=SCRAPED_SECONDS, what="everything was scraped three times"
    )
    return Scene(metrics=metrics, start=start, scrape_seconds=SCRAPE_SECONDS)


def _scraped(metrics: PrometheusMetrics) -> int:
    samples = metrics.group_samples(GROUP, [TOPIC])
    return min(len(each) for each in (samples.members, *(pod.batches for pod in samples.pods.values())))
