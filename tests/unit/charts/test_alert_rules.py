"""Every alert has its limits, its tests, its page, and metrics that exist.

promtool runs the tests of `rules/*.yaml` in `make check`; here it is checked that they are there.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from doorbuster_cluster.settings import REPOSITORY
from tests.metric_names import PROMETHEUS_OWN, RULES, alert_rules, asked, registered
from tests.unit.charts.rendering import APPS

TESTS = Path(__file__).parent / "rules"

# The one table of limits: severity, how long, and every comparison in the order in which the expression has them.
LIMITS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "ConsumerLagHigh": ("warning", "1m", ("> 1000",)),
    "ConsumerLagCritical": ("critical", "1m", ("> 10000",)),
    "ConsumerStuck": ("critical", "30s", (">= 1", ">= 1")),
    "PartitionStuck": ("warning", "30s", (">= 1", ">= 1")),
    "OldestRecordTooOld": ("warning", "1m", ("> 10",)),
    "OldestRecordFarTooOld": ("critical", "1m", ("> 60",)),
    "DeadLetters": ("warning", "", ("> 0", "> 0")),
    "FaultSwitchOn": ("info", "1m", ("> 0",)),
    "OutboxOld": ("warning", "15s", ("> 5",)),
    "OutboxVeryOld": ("critical", "15s", ("> 30",)),
    "OutboxPublishingFails": ("warning", "1m", ("> 0",)),
    "ApiSlow": ("warning", "1m", ("> 0.1", ">= 20")),
    "ApiVerySlow": ("critical", "1m", ("> 0.5", ">= 20")),
    "ApiErrorsHigh": ("warning", "1m", ("> 0.01", ">= 3", "> 0.01", ">= 3")),
    "ApiErrorsCritical": ("critical", "1m", ("> 0.05", ">= 3", "> 0.05", ">= 3")),
    "CatalogueEmpty": ("critical", "1m", ("> 0",)),
    "InvariantBroken": ("critical", "", ("> 0",)),
    "AuditStale": ("warning", "", ("> 120",)),
    "SagasUncompensated": ("critical", "", ("> 0",)),
    "DeliveriesParked": ("warning", "", ("> 0",)),
    "PrimaryUnavailable": ("critical", "1m", (">= 0",)),
    "KafkaUnderReplicated": ("warning", "3m", ("> 0",)),
    "ScalerBlind": ("warning", "1m", ("== 1", "> 60")),
    "ScalerAtItsLimit": ("warning", "5m", ("== 1", "> 10")),
    "MetricsMissing": ("critical", "5m", ("> 60", ">= 0", ">= 0", ">= 0")),
    "ProcessRestarts": ("warning", "", (">= 3",)),
}
STUCK_WINDOWS = {"ConsumerStuck": "2m", "PartitionStuck": "5m"}
# What alerts tell without a number: it is either so or not.
WITHOUT_QUANTITY = {"MetricsMissing", "ScalerBlind", "ScalerAtItsLimit"}

COMPARISON = re.compile(r"(?:[<>]=?|==) [\d.]+")
ALL = alert_rules()

each_rule = pytest.mark.parametrize("rule", ALL, ids=lambda rule: str(rule["alert"]))


def has_case(alert: str, *, fires: bool) -> bool:
    """Tell whether some test expects the alert to fire, or to be silent."""
    return any(
        case["alertname"] == alert and bool(case["exp_alerts"]) is fires
        for file in TESTS.glob("*.yaml")
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test["alert_rule_test"]
    )


def comparisons(rule: dict[str, Any]) -> tuple[str, ...]:
    return tuple(COMPARISON.findall(re.sub(r"\{[^}]*\}", "", rule["expr"])))


def test_no_alert_is_there_twice() -> None:
    assert sorted(rule["alert"] for rule in ALL) == sorted({rule["alert"] for rule in ALL})


def test_every_alert_has_the_limits_of_the_table() -> None:
    written = {rule["alert"]: (rule["labels"]["severity"], rule.get("for", ""), comparisons(rule)) for rule in ALL}

    assert written == LIMITS


@pytest.mark.parametrize(("alert", "window"), STUCK_WINDOWS.items())
def test_a_group_is_stuck_after_two_minutes_and_a_partition_after_five(alert: str, window: str) -> None:
    stuck = next(rule["expr"] for rule in ALL if rule["alert"] == alert)

    assert set(re.findall(r"\[(\w+)\]|offset (\w+)", stuck)) == {(window, ""), ("", window)}


@each_rule
def test_an_alert_reads_only_metrics_that_are_declared(rule: dict[str, Any]) -> None:
    read = asked(rule["expr"])

    assert read
    assert read - registered() - PROMETHEUS_OWN == set()


@each_rule
def test_an_alert_has_a_test_that_fires_and_one_that_does_not(rule: dict[str, Any]) -> None:
    assert (has_case(rule["alert"], fires=True), has_case(rule["alert"], fires=False)) == (True, True)


@each_rule
def test_an_alert_says_what_how_much_and_what_to_do(rule: dict[str, Any]) -> None:
    annotations = rule["annotations"]

    assert annotations.keys() == {"summary", "description", "runbook_url"}
    assert rule["labels"].keys() == {"severity", "subject"}
    assert re.fullmatch(rf"runbooks/[a-z]+/{rule['alert']}\.md", annotations["runbook_url"])
    assert (REPOSITORY / annotations["runbook_url"]).is_file()
    assert "{{ $value |" in annotations["description"] or rule["alert"] in WITHOUT_QUANTITY


def test_every_file_of_rules_has_its_tests_in_a_file_of_the_same_name() -> None:
    files = sorted(path.name for path in RULES.glob("*.yaml"))

    assert sorted(path.name for path in TESTS.glob("*.yaml")) == files
    for name in files:
        (tested_file,) = yaml.safe_load((TESTS / name).read_text())["rule_files"]
        assert (TESTS / tested_file).resolve() == RULES / name


def test_every_process_that_runs_all_the_time_is_missed_when_it_is_gone() -> None:
    missed = next(rule["expr"] for rule in ALL if rule["alert"] == "MetricsMissing")
    consumers = yaml.safe_load((APPS / "values.yaml").read_text())["consumers"]
    expected = {f"consumer-{name}" for name in consumers} | {"lag-exporter", "relay", "watch", "audit", "api"}

    assert {name for name in expected if f'"{name}"' not in missed} == set()


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_tests_of_rules_evaluate_as_often_as_prometheus_does(path: Path) -> None:
    document = yaml.safe_load(path.read_text())

    assert document["evaluation_interval"] == "5s"
    assert {test["interval"] for test in document["tests"]} == {"5s"}
    assert all(test["name"] for test in document["tests"])
