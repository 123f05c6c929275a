"""Everything is measured, every rule can be judged, and what an alert needs is really there."""

import pytest
import yaml

from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.runtime.releases import CHARTS, NAMESPACE
from tests.e2e.kubernetes import Kubernetes
from tests.e2e.monitoring import Monitoring
from tests.e2e.shop import APPS, Shop
from tests.integration.polling import seconds_until
from tests.metric_names import names_in_dashboards, names_in_rules

# A target is found within one look at the API server and scraped every five seconds.
SCRAPED_SECONDS = 90
FORGOTTEN_SECONDS = 360


@pytest.fixture
def monitoring(healthy: Kubernetes) -> Monitoring:
    """Prometheus and Alertmanager, both ready."""
    healthy.wait_ready(
        "deployment/observability-prometheus", "deployment/observability-alertmanager", within_seconds=SCRAPED_SECONDS
    )
    return Monitoring(kubernetes=healthy)


def test_every_process_is_scraped(shop: Shop, monitoring: Monitoring) -> None:
    def all_up() -> bool:
        running = {
            pod["metadata"]["name"]
            for pod in monitoring.kubernetes.list("pods", "app.kubernetes.io/part-of=doorbuster")
            if pod["metadata"].get("annotations", {}).get("prometheus.io/scrape") == "true"
            and pod["status"]["phase"] == "Running"
        }
        up = {each["labels"]["pod"] for each in monitoring.targets() if each["health"] == "up"}
        return len(running) > len(monitoring.kubernetes.list("deployments", APPS)) and running <= up

    assert shop.healthy()
    seconds_until(all_up, within_seconds=SCRAPED_SECONDS, what="every annotated pod is up in Prometheus")


def test_every_metric_of_rules_and_dashboards_is_in_a_scrape(shop: Shop, monitoring: Monitoring) -> None:
    # Kafka knows no offset of a group that never worked.
    shop.buyer(1).final(shop.buyer(1).accepted((1, 1)))
    wanted = names_in_rules() | names_in_dashboards()
    assert wanted
    seconds_until(
        lambda: wanted <= monitoring.metric_names() | {"up", "ALERTS"},
        within_seconds=SCRAPED_SECONDS,
        what=f"all of {sorted(wanted)} are described by a target",
    )


def test_every_rule_of_the_chart_is_judged_without_an_error(monitoring: Monitoring) -> None:
    files = sorted((CHARTS / "observability" / "files" / "rules").glob("*.yaml"))
    written = {
        rule["alert"]
        for file in files
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    seconds_until(
        lambda: {rule["name"]: rule["health"] for rule in monitoring.rules()} == dict.fromkeys(written, "ok"),
        within_seconds=SCRAPED_SECONDS,
        what="all rules are there and healthy",
    )


def test_a_metric_of_the_lag_is_kafkas_own(shop: Shop, monitoring: Monitoring) -> None:
    shop.buyer(1).final(shop.buyer(1).accepted((1, 1)))
    # The last samples of an exporter that was killed with its node count for five minutes beside its successor's.
    lag = 'sum(max by (topic, partition) (kafka_consumergroup_lag{consumergroup="stock-service-group"}))'
    offsets = 'max by (topic, partition) (kafka_topic_partition_current_offset{topic="order-created"})'
    seconds_until(
        lambda: monitoring.value(lag) == 0, within_seconds=FORGOTTEN_SECONDS, what="no record waits for stock"
    )
    assert monitoring.value(f"count({offsets})") == 12


def test_the_releases_own_test_passes(monitoring: Monitoring, session: Session) -> None:
    assert monitoring.rules()
    assert "Succeeded" in session.tools.helm("test", "observability", "--namespace", NAMESPACE, timeout_seconds=180)
