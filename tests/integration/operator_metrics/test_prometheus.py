"""The Prometheus adapter at a real Prometheus: raw samples with their own times, and nothing new from what is gone."""

import time

import pytest

from doorbuster_operator.adapters.prometheus import PrometheusMetrics
from doorbuster_operator.model.samples import Partition, Series
from doorbuster_operator.ports import MetricsUnavailable
from tests.contracts.metrics_source import GROUP, NAMESPACE, TOPIC, MetricsSourceContract, Scene
from tests.integration.operator_metrics.exporter import Pods
from tests.integration.operator_metrics.prometheus import SCRAPE_SECONDS, Prometheus
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration

SOON_SECONDS = 60.0
BRIEFLY = 1.0


class TestPrometheus(MetricsSourceContract):
    @pytest.fixture
    def scene(self, scene: Scene) -> Scene:
        return scene


def ends(scene: Scene) -> Series:
    return scene.metrics.group_samples(GROUP, [TOPIC]).ends[Partition(TOPIC, 3)]


def test_a_lag_exporter_that_is_gone_has_old_samples_and_no_new_ones(scene: Scene, shared_pods: Pods) -> None:
    shared_pods.gone.add("lag-exporter")
    try:
        seconds_until(
            lambda: time.time() - ends(scene)[-1].at > 3 * SCRAPE_SECONDS + 1,
            within_seconds=SOON_SECONDS,
            what="the newest sample is older than three scrapes",
        )
        before = ends(scene)
        assert ends(scene) == before
        assert scene.metrics.group_samples(GROUP, [TOPIC]).members[-1].at == pytest.approx(before[-1].at)
    finally:
        shared_pods.gone.clear()
    seconds_until(lambda: ends(scene)[-1].at > before[-1].at, within_seconds=SOON_SECONDS, what="it is scraped again")


def test_a_consumer_that_is_gone_is_among_the_pods_with_what_it_said(scene: Scene, shared_pods: Pods) -> None:
    shared_pods.gone.add("stock-a")
    try:
        seconds_until(
            lambda: time.time() - newest_batch(scene) > 3 * SCRAPE_SECONDS + 1,
            within_seconds=SOON_SECONDS,
            what="the consumer's newest sample is older than three scrapes",
        )
        assert time.time() - ends(scene)[-1].at < 3 * SCRAPE_SECONDS + 1
    finally:
        shared_pods.gone.clear()


def newest_batch(scene: Scene) -> float:
    return scene.metrics.group_samples(GROUP, [TOPIC]).pods["stock-a"].batches[-1].at


def test_a_prometheus_that_stands_still_is_no_answer(prometheus: Prometheus) -> None:
    hasty = PrometheusMetrics(prometheus.address, namespace=NAMESPACE, request_seconds=BRIEFLY)
    with prometheus.paused(), pytest.raises(MetricsUnavailable) as no:
        hasty.group_samples(GROUP, [TOPIC])
    hasty.close()

    assert str(no.value) == "Prometheus doesn't answer within 1 s."


def test_a_query_that_prometheus_refuses_is_told_in_its_words(prometheus: Prometheus) -> None:
    """Names can't break the query, so this asks for something else."""
    adapter = PrometheusMetrics(f"{prometheus.address}/nothing", namespace=NAMESPACE, request_seconds=10)
    with pytest.raises(MetricsUnavailable, match="Prometheus answers with status 404"):
        adapter.group_samples(GROUP, [TOPIC])
    adapter.close()
