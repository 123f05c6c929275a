"""The dashboards are what their source makes, ask for metrics that exist, and show the limits of the alert rules."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from doorbuster_dashboards import alerts
from doorbuster_dashboards.__main__ import CHART_FOLDER, main
from doorbuster_dashboards.alerts import Alert, Limits
from doorbuster_dashboards.dashboards import PLANS
from doorbuster_dashboards.panels import JUST_ABOVE_NOTHING
from tests.metric_names import DASHBOARDS, PROMETHEUS_OWN, alert_rules, asked, expressions_of, registered
from tests.unit.charts.test_alert_rules import comparisons

NAMES = [plan.name for plan in PLANS]
RULES = {rule["alert"]: rule for rule in alert_rules()}
LIMITS = [limits for limits in vars(alerts).values() if isinstance(limits, Limits) and limits.alerts]
# Grafana's own variables.
OF_GRAFANA = {"__rate_interval"}

each_dashboard = pytest.mark.parametrize("name", NAMES)


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DASHBOARDS / f"{name}.json").read_text())
    return found


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in document(name)["panels"] if panel["type"] != "row"]


def alerts_of(panel: dict[str, Any]) -> list[str]:
    return [link["title"].removeprefix("Runbook ") for link in panel["links"]]


def test_the_committed_files_are_what_the_source_makes(tmp_path: Path) -> None:
    main(tmp_path)

    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {path.name: path.read_text() for path in CHART_FOLDER.glob("*.json")} == made, "type: make dashboards"
    assert CHART_FOLDER == DASHBOARDS


@each_dashboard
def test_a_dashboard_asks_only_for_metrics_that_are_declared(name: str) -> None:
    read = {metric for expression in expressions_of(DASHBOARDS / f"{name}.json") for metric in asked(expression)}

    assert len(read) > 10
    assert read - registered() - PROMETHEUS_OWN == set()


@each_dashboard
def test_a_dashboard_uses_only_variables_that_it_has(name: str) -> None:
    defined = {variable["name"] for variable in document(name)["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(document(name)["panels"])))

    assert used - OF_GRAFANA == defined


@each_dashboard
def test_panels_have_numbers_of_their_own_and_room(name: str) -> None:
    everything = document(name)["panels"]
    places = [panel["gridPos"] for panel in everything]

    assert [panel["id"] for panel in everything] == list(range(1, len(everything) + 1))
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


@each_dashboard
def test_every_panel_says_what_it_shows(name: str) -> None:
    for panel in panels(name):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        assert panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]


@each_dashboard
def test_a_panel_colours_from_the_limits_of_its_alerts_on(name: str) -> None:
    declared = {alert.name: alert for limits in LIMITS for alert in limits.alerts if alert.limit is not None}
    for panel in panels(name):
        if panel["type"] == "table":
            continue
        thresholds = panel["fieldConfig"]["defaults"]["thresholds"]
        steps = [step["value"] for step in thresholds["steps"]]
        limits = [declared[each].limit or JUST_ABOVE_NOTHING for each in alerts_of(panel) if each in declared]
        # One alert may stand for several measurements, and has a limit in one of them.
        assert steps[1:] in ([], limits), panel["title"]


@pytest.mark.parametrize("alert", [alert for limits in LIMITS for alert in limits.alerts], ids=lambda alert: alert.name)
def test_a_limit_is_that_of_the_rule_and_the_runbook_too(alert: Alert) -> None:
    rule = RULES[alert.name]

    assert alert.runbook == rule["annotations"]["runbook_url"]
    assert alert.limit is None or f"> {alert.limit:g}" in comparisons(rule)


@pytest.mark.parametrize("limits", LIMITS, ids=lambda limits: limits.alerts[0].name)
def test_orange_is_a_warning_and_red_is_critical(limits: Limits) -> None:
    if limits.warning is not None:
        assert RULES[limits.warning.name]["labels"]["severity"] in {"info", "warning"}
    if limits.critical is not None:
        assert RULES[limits.critical.name]["labels"]["severity"] == "critical"


def test_every_alert_has_a_panel_that_leads_to_its_runbook() -> None:
    shown = {alert for name in NAMES for panel in panels(name) for alert in alerts_of(panel)}

    assert shown == RULES.keys()
