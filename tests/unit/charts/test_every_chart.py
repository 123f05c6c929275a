"""What holds for each of our charts that installs something, with every set of values in its folder `ci`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.charts.rendering import APPS, DATA, OBSERVABILITY, OPERATOR, pods, rendered

INSTALLED = [DATA, OBSERVABILITY, OPERATOR, APPS]
SCENARIOS = [
    (chart, path.name.removesuffix("-values.yaml"))
    for chart in INSTALLED
    for path in sorted((chart / "ci").glob("*-values.yaml"))
]
# Objects of Kubernetes are checked by the API server, and the library's own values are helm's.
FOREIGN = {
    "data": {"networkPolicy.properties.extraClients.items", "common"},
    "apps": {
        "common",
        "gateway.properties.parentRefs.items",
        "networkPolicy.properties.edge.items",
        "networkPolicy.properties.extraEgress.items",
        "networkPolicy.properties.metricsFrom.items",
    },
    "observability": {
        "alertmanager.properties.webhook.properties.egress.items",
        "common",
        "networkPolicy.properties.extraClients.items",
        "networkPolicy.properties.extraEgress.items",
        # Whatever selects the two objects.
        "serviceMonitors.properties.labels",
    },
    "operator": {
        "common",
        "networkPolicy.properties.extraEgress.items",
        "networkPolicy.properties.metricsFrom.items",
    },
}

each_chart = pytest.mark.parametrize("chart", INSTALLED, ids=lambda chart: chart.name)
each_scenario = pytest.mark.parametrize(
    ("chart", "scenario"), SCENARIOS, ids=[f"{chart.name}-{scenario}" for chart, scenario in SCENARIOS]
)


def schema(chart: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((chart / "values.schema.json").read_text())
    return document


@each_scenario
def test_no_pod_has_a_token_or_a_privilege(chart: Path, scenario: str) -> None:
    for name, _, pod in pods(rendered(scenario, chart=chart), hooks=True):
        spec = pod["spec"]
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False), name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


@each_scenario
def test_a_program_in_python_is_not_the_first_process_of_its_namespace(chart: Path, scenario: str) -> None:
    """The first one ignores SIGTERM until it has a handler, and imports take a second."""
    for name, _, pod in pods(rendered(scenario, chart=chart), hooks=True):
        in_python = any(container.get("command", [""])[0] == "python3" for container in pod["spec"]["containers"])
        assert pod["spec"].get("shareProcessNamespace", False) or not in_python, name


@each_scenario
def test_every_pod_has_a_policy_for_both_directions(chart: Path, scenario: str) -> None:
    manifests = rendered(scenario, chart=chart)
    policies = [manifest["spec"] for manifest in manifests if manifest["kind"] == "NetworkPolicy"]

    for name, _, pod in pods(manifests, hooks=True):
        labels = pod["metadata"]["labels"].items()
        mine = [policy for policy in policies if policy["podSelector"]["matchLabels"].items() <= labels]
        assert {direction for policy in mine for direction in policy["policyTypes"]} == {"Ingress", "Egress"}, name


@each_scenario
def test_every_container_is_limited_in_memory_and_not_in_cpu(chart: Path, scenario: str) -> None:
    for name, _, pod in pods(rendered(scenario, chart=chart), hooks=True):
        for container in pod["spec"]["containers"]:
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
            assert container["resources"]["limits"].keys() == {"memory"}, name


def objects(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in the schema, with where it is."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield path, node
        for key, value in node.items():
            yield from objects(value, f"{path}.{key}")


@each_chart
def test_the_schema_is_closed_at_every_level(chart: Path) -> None:
    found = objects(schema(chart), "values")
    open_levels = {path for path, node in found if node.get("additionalProperties") is not False}

    assert open_levels == {f"values.properties.{path}" for path in FOREIGN[chart.name]}


def keys_of_values(node: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in node.items():
        yield f"{path}{key}"
        if isinstance(value, dict) and value:
            yield from keys_of_values(value, f"{path}{key}.")


def keys_of_schema(node: dict[str, Any], definitions: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in node.get("properties", {}).items():
        yield f"{path}{key}"
        definition = value.get("$ref", "").removeprefix("#/definitions/")
        yield from keys_of_schema(definitions.get(definition, value), definitions, f"{path}{key}.")


@each_chart
def test_values_and_schema_have_the_same_keys(chart: Path) -> None:
    values, document = yaml.safe_load((chart / "values.yaml").read_text()), schema(chart)

    assert set(keys_of_schema(document, document["definitions"])) - {"common"} == set(keys_of_values(values))


@each_chart
def test_every_value_has_a_sentence(chart: Path) -> None:
    lines = (chart / "values.yaml").read_text().splitlines()
    undocumented = []
    for number, line in enumerate(lines):
        # A key with nothing behind it opens a section; its keys have the sentences.
        if not re.match(r" *[A-Za-z]+: \S", line):
            continue
        above = [text.strip() for text in lines[:number]]
        while above and above[-1].startswith("#") and not above[-1].startswith("# -- "):
            above.pop()
        if not above or not re.match(r"# -- [A-Z`].*", above[-1]):
            undocumented.append(line.strip())

    assert undocumented == []


@each_chart
def test_every_template_has_its_tests(chart: Path) -> None:
    templates = {
        path.relative_to(chart).as_posix()
        for path in (chart / "templates").rglob("*")
        if path.suffix in {".yaml", ".txt"}
    }
    suites = [yaml.safe_load(path.read_text()) for path in (chart / "tests").glob("*_test.yaml")]
    tested = {template for suite in suites for template in suite["templates"]}

    assert tested == templates
