"""Prometheus and Alertmanager of the cluster under test, asked through the API server's proxy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from doorbuster_cluster.runtime.releases import NAMESPACE
from tests.e2e.kubernetes import Kubernetes

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What was measured, and which alerts there are."""

    kubernetes: Kubernetes

    def value(self, expression: str) -> float | None:
        """Return the value of a PromQL expression with one series; None when it has none.

        Raises:
            AssertionError: it has several.
        """
        found = self.vector(expression)
        assert len(found) <= 1, f"{expression} has {len(found)} series"
        return next(iter(found.values()), None)

    def vector(self, expression: str) -> Mapping[tuple[tuple[str, str], ...], float]:
        """Return the values of a PromQL expression by their labels."""
        answer = self._prometheus(f"query?query={quote(expression, safe='')}")
        return {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in answer["result"]}

    def metric_names(self) -> set[str]:
        """Return the names of all metrics that some target describes, as a query has them.

        In OpenMetrics a counter is described without the `_total` that its samples have.
        """
        described: Mapping[str, Sequence[Mapping[str, str]]] = self._prometheus("metadata")
        return {
            f"{name.removesuffix('_total')}_total" if about[0]["type"] == "counter" else name
            for name, about in described.items()
        }

    def targets(self) -> Sequence[Mapping[str, Json]]:
        """Return everything that is scraped."""
        found: Sequence[Mapping[str, Json]] = self._prometheus("targets?state=active")["activeTargets"]
        return found

    def rules(self) -> Sequence[Mapping[str, Json]]:
        """Return all alert rules with their health."""
        return [rule for group in self._prometheus("rules?type=alert")["groups"] for rule in group["rules"]]

    def firing(self) -> set[str]:
        """Return the names of the alerts that Prometheus says are firing."""
        return {
            each["labels"]["alertname"] for each in self._prometheus("alerts")["alerts"] if each["state"] == "firing"
        }

    def told(self) -> set[str]:
        """Return the names of the alerts that Alertmanager was told about and that aren't over."""
        answer = self._get("observability-alertmanager:9093", "api/v2/alerts?active=true")
        return {each["labels"]["alertname"] for each in answer}

    def _prometheus(self, path: str) -> Json:
        answer = self._get("observability-prometheus:9090", f"api/v1/{path}")
        assert answer["status"] == "success", answer
        return answer["data"]

    def _get(self, service: str, path: str) -> Json:
        place = f"/api/v1/namespaces/{NAMESPACE}/services/{service}/proxy/{path}"
        return json.loads(self.kubernetes.tools.kubectl("get", "--raw", place))
