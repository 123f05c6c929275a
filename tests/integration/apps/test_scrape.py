"""Rules, dashboards and runbooks against what a real Prometheus reads from real processes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from doorbuster_cluster.settings import REPOSITORY
from tests.integration.apps.platform import CONSUMERS, Platform
from tests.integration.apps.processes import Application, running
from tests.integration.apps.scraper import Scraper, running_scraper
from tests.integration.polling import seconds_until
from tests.metric_names import alert_rules, dashboard_expressions, names_in_dashboards, names_in_rules

pytestmark = pytest.mark.integration

PRODUCT = 3
# The seed profile's first.
COUPON = 1
SCRAPED_SECONDS = 30
# The first look at catalogue and books comes at once, the lag exporter's after its first round.
MEASURED_SECONDS = 60
# The alert itself waits for two minutes more, which promtool's tests have.
GONE_SECONDS = 30
# Counters of trouble have no series before the first trouble; their alerts and panels must bear that.
ONLY_IN_TROUBLE = {
    "business_refusals_total",
    "cache_away_total",
    "cache_drops_total",
    "consumer_errors_total",
    "consumer_retries_total",
    "coupon_gate_repairs_total",
    "database_conflicts_total",
    "outbox_failures_total",
    "saga_cancels_total",
    "saga_redrives_total",
}
OF_THE_OPERATOR = re.compile(r"(?:operator|scaler)_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraped:
    """All processes after one order, and Prometheus, which has read all of them."""

    platform: Platform
    scraper: Scraper


@pytest.fixture
def scraped(platform: Platform, images: dict[str, str], tmp_path: Path) -> Iterator[Scraped]:
    """Every process of the applications, a paid order with its stream, a coupon, and Prometheus."""
    exporter = Application(words=("doorbuster.jobs.lag_exporter",), environment=platform.environment)
    auditor = Application(words=("doorbuster.jobs.audit", "--serve"), environment=platform.environment)
    named = {f"consumer-{name}" if name in CONSUMERS else name: each for name, each in platform.applications.items()}
    targets = {name: each.admin_port for name, each in {**named, "lag-exporter": exporter, "audit": auditor}.items()}
    with running(exporter, auditor), running_scraper(images["prometheus"], targets, tmp_path) as scraper:
        buyer = platform.buyer(1)
        order_id = buyer.buy("one", (PRODUCT, 1)).raise_for_status().json()["id"]
        assert buyer.final(order_id)["status"] == "PAID"
        for path in (f"/api/v1/products/{PRODUCT}", f"/api/v1/orders/{order_id}/events"):
            buyer.client.get(path).raise_for_status()
        buyer.client.post(f"/api/v1/coupons/{COUPON}/issues").raise_for_status()
        seconds_until(
            lambda: scraper.up() == targets.keys(), within_seconds=SCRAPED_SECONDS, what="all processes are read"
        )
        yield Scraped(platform=platform, scraper=scraper)


def filled_in(expression: str) -> str:
    """Return a dashboard's expression as Grafana sends it."""
    return expression.replace("$__rate_interval", "1m").replace("$group", ".+").replace("$scaler", ".+")


def queries_of_runbooks() -> Iterator[str]:
    for page in sorted((REPOSITORY / "runbooks").rglob("*.md")):
        yield from re.findall(r"\bask '([^']+)'", page.read_text())


def missing(scraper: Scraper) -> set[str]:
    """Return the components that the alert MetricsMissing would name if it went on like this."""
    expression = next(rule["expr"] for rule in alert_rules() if rule["alert"] == "MetricsMissing")
    return {each["metric"]["component"] for each in scraper.ask(expression)}


def families(scraper: Scraper) -> set[str]:
    """Return the families that have series, and the names of all series."""
    return {re.sub(r"_(?:bucket|count)$", "", name) for name in scraper.sampled()} | scraper.sampled()


def told(scraper: Scraper) -> set[str]:
    """Return the alerts that fire, and those that would if it went on like this."""
    return {each["metric"]["alertname"] for each in scraper.ask("ALERTS")}


def test_everything_that_is_asked_for_is_really_measured(scraped: Scraped) -> None:
    scraper = scraped.scraper
    asked = {name for name in names_in_rules() | names_in_dashboards() if not OF_THE_OPERATOR.match(name)}

    seconds_until(lambda: missing(scraper) == set(), within_seconds=MEASURED_SECONDS, what="nothing is missing")
    # The last group commits, and the lag exporter sees it, some seconds after the order is PAID.
    seconds_until(
        lambda: asked <= scraper.described() and asked - families(scraper) <= ONLY_IN_TROUBLE,
        within_seconds=MEASURED_SECONDS,
        what=f"all of {sorted(asked)} are described and measured",
    )

    # Every rule can be judged, and every question of panels and pages answered, whatever there is to be seen.
    written = {rule["alert"] for rule in alert_rules()}
    seconds_until(
        lambda: scraper.rules() == dict.fromkeys(written, "ok"), within_seconds=SCRAPED_SECONDS, what="all rules are ok"
    )
    for expression in (*map(filled_in, dashboard_expressions()), *queries_of_runbooks()):
        scraper.ask(expression)

    # After an order without trouble nothing is about to be told, but that the operator isn't here.
    seconds_until(lambda: told(scraper) <= {"ScalerBlind"}, within_seconds=SCRAPED_SECONDS, what="no alert, nor soon")

    # Whoever goes is missed, though every other process exports the same gauge.
    scraped.platform.applications["relay"].kill()
    scraped.platform.applications["payment"].kill()
    seconds_until(
        lambda: missing(scraper) == {"relay", "consumer-payment"},
        within_seconds=GONE_SECONDS,
        what="relay and payment are missed",
    )
