"""Which metrics there are, and which of them rules, dashboards and runbooks ask for.

Names are those of families, as a registry and Prometheus' `metadata` know them: without `_bucket`, `_sum` and `_count`.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

from doorbuster.infra import telemetry as of_applications
from doorbuster_cluster.settings import REPOSITORY
from doorbuster_operator import telemetry as of_operator

OBSERVABILITY = REPOSITORY / "charts" / "observability" / "files"
RULES = OBSERVABILITY / "rules"
DASHBOARDS = OBSERVABILITY / "dashboards"
# Prometheus makes these itself, or its client library in every process.
PROMETHEUS_OWN = frozenset({"up", "ALERTS", "process_start_time_seconds", "process_resident_memory_bytes"})

# What is no name of a metric: texts, selectors, ranges, lists of labels, and what Grafana fills in.
NO_NAMES = re.compile(
    r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | \{[^}]*\} | \[[^\]]*\] | \$\w+
      | \b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)""",
    re.VERBOSE,
)
# A word with a parenthesis behind it is a function, one without is a metric or one of the words below.
WORD = re.compile(r"\b[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()")
WORDS = frozenset({"and", "or", "unless", "offset", "bool", "by", "on", "Inf", "NaN"})
# What `5m` leaves behind where it stands without brackets.
DURATION = re.compile(r"\b\d+(?:ms|[smhd])\b")


def asked(expression: str) -> set[str]:
    """Return the families that a PromQL expression reads."""
    bare = DURATION.sub(" ", NO_NAMES.sub(" ", expression))
    return {_family(word) for word in WORD.findall(bare) if word not in WORDS}


def names_in_rules() -> set[str]:
    """Return the families that alert rules read, without Prometheus' own."""
    return {name for rule in alert_rules() for name in asked(rule["expr"])} - PROMETHEUS_OWN


def names_in_dashboards() -> set[str]:
    """Return the families that dashboards read, without Prometheus' own."""
    return {name for expression in dashboard_expressions() for name in asked(expression)} - PROMETHEUS_OWN


def alert_rules() -> list[dict[str, Any]]:
    """Return all alert rules as they are written."""
    groups = [group for file in sorted(RULES.glob("*.yaml")) for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def dashboard_expressions() -> Iterator[str]:
    """Yield every expression of every dashboard; of a variable's query what it looks values of a label up in."""
    for file in sorted(DASHBOARDS.glob("*.json")):
        yield from expressions_of(file)


def expressions_of(dashboard: Path) -> Iterator[str]:
    """Yield the expressions of one dashboard."""
    document = json.loads(dashboard.read_text())
    for panel in document["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            yield re.sub(r"^label_values\((.*), *\w+\)$", r"\1", variable["query"])


@cache
def registered() -> frozenset[str]:
    """Return the families of both registries, the applications' and the operator's."""
    kafka = set(of_applications.KAFKA_GAUGES)
    return frozenset(kafka | {name for name, _ in _declared(of_applications)} | {n for n, _ in _declared(of_operator)})


@cache
def _histograms() -> frozenset[str]:
    declared = (*_declared(of_applications), *_declared(of_operator))
    return frozenset(name for name, metric in declared if isinstance(metric, Histogram))


def _declared(registry: ModuleType) -> Iterator[tuple[str, MetricWrapperBase]]:
    for metric in vars(registry).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            yield f"{family.name}_total" if family.type == "counter" else family.name, metric


def _family(name: str) -> str:
    base = re.sub(r"_(?:bucket|sum|count)$", "", name)
    return base if base in _histograms() else name
