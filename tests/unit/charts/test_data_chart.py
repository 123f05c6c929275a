"""What holds for the whole chart `data`, and needs arithmetic or a look at all of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.unit.charts.rendering import DATA, Manifest, pods, rendered

SCENARIOS = sorted(path.name.removesuffix("-values.yaml") for path in (DATA / "ci").glob("*-values.yaml"))
# P8: the control plane takes 850m of two cores, the whole platform fits into the rest.
MOST_CPU = 400
UNITS = {"Mi": 1, "Gi": 1024}


def schema() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATA / "values.schema.json").read_text())
    return document


def cpu_of(container: Manifest) -> int:
    """A container's CPU request in millicores."""
    request = str(container["resources"]["requests"]["cpu"])
    return int(request.removesuffix("m")) if request.endswith("m") else int(request) * 1000


def memory_of(container: Manifest) -> int:
    """A container's memory request in MiB."""
    request = container["resources"]["requests"]["memory"]
    return int(request[:-2]) * UNITS[request[-2:]]


def test_the_highly_available_size_asks_for_little_cpu() -> None:
    asked = {
        name: number * sum(cpu_of(container) for container in pod["spec"]["containers"])
        for name, number, pod in pods(rendered("ha"))
    }

    assert asked == {"data-mysql": 150, "data-redis": 90, "data-kafka": 150}
    assert sum(asked.values()) <= MOST_CPU


@pytest.mark.parametrize(("scenario", "most"), [("ha", 8 * 1024), ("small", 2560)])
def test_the_stores_leave_most_of_a_machines_memory(scenario: str, most: int) -> None:
    asked = sum(
        number * sum(memory_of(container) for container in pod["spec"]["containers"])
        for _, number, pod in pods(rendered(scenario))
    )

    assert asked <= most


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_memory_is_reserved_as_it_is_limited(scenario: str) -> None:
    for name, _, pod in pods(rendered(scenario), hooks=True):
        for container in pod["spec"]["containers"]:
            limits = container["resources"]["limits"]
            assert limits["memory"] == container["resources"]["requests"]["memory"], name
            assert "cpu" not in limits, name


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_pod_has_a_token_or_a_privilege(scenario: str) -> None:
    for name, _, pod in pods(rendered(scenario), hooks=True):
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


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_pod_has_a_policy_for_both_directions(scenario: str) -> None:
    policies = [manifest["spec"] for manifest in rendered(scenario) if manifest["kind"] == "NetworkPolicy"]

    for name, _, pod in pods(rendered(scenario), hooks=True):
        labels = pod["metadata"]["labels"].items()
        mine = [policy for policy in policies if policy["podSelector"]["matchLabels"].items() <= labels]
        assert {direction for policy in mine for direction in policy["policyTypes"]} == {"Ingress", "Egress"}, name


def test_names_follow_the_override_and_fit_into_the_labels_of_pods() -> None:
    names = [manifest["metadata"]["name"] for manifest in rendered("overrides")]

    assert all(name.startswith("store-") for name in names)
    long = rendered("ha", (f"fullnameOverride={'n' * 40}",))
    assert all(len(manifest["metadata"]["name"]) <= 52 for manifest in long if manifest["kind"] == "StatefulSet")


def test_the_public_images_are_the_default_and_a_mirror_replaces_all_of_them() -> None:
    def registries(scenario: str) -> set[str]:
        templates = [pod["spec"]["containers"] for _, _, pod in pods(rendered(scenario), hooks=True)]
        return {container["image"].partition("/")[0] for containers in templates for container in containers}

    assert registries("ha") == {"docker.io"}
    assert registries("overrides") == {"mirror.example"}


def test_nothing_runs_when_every_store_is_managed() -> None:
    assert [manifest["kind"] for manifest in rendered("managed")] == ["ConfigMap"]


def objects(node: Any, path: str = "values") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in the schema, with where it is."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield path, node
        for key, value in node.items():
            yield from objects(value, f"{path}.{key}")


def test_the_schema_is_closed_at_every_level() -> None:
    # Objects of Kubernetes are checked by the API server, and the library's own values are helm's.
    foreign = {"values.properties.networkPolicy.properties.extraClients.items", "values.properties.common"}
    open_levels = {path for path, node in objects(schema()) if node.get("additionalProperties") is not False}

    assert open_levels == foreign


def keys_of_values(node: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in node.items():
        yield f"{path}{key}"
        if isinstance(value, dict) and value:
            yield from keys_of_values(value, f"{path}{key}.")


def keys_of_schema(node: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in node.get("properties", {}).items():
        yield f"{path}{key}"
        resolved = schema()["definitions"]["image"] if value.get("$ref") == "#/definitions/image" else value
        yield from keys_of_schema(resolved, f"{path}{key}.")


def test_values_and_schema_have_the_same_keys() -> None:
    values = yaml.safe_load((DATA / "values.yaml").read_text())

    assert set(keys_of_schema(schema())) - {"common"} == set(keys_of_values(values))


def test_every_value_has_a_sentence() -> None:
    lines = (DATA / "values.yaml").read_text().splitlines()
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


def test_every_template_has_its_tests() -> None:
    templates = {
        path.relative_to(DATA).as_posix()
        for path in (DATA / "templates").rglob("*")
        if path.suffix in {".yaml", ".txt"}
    }
    suites = [yaml.safe_load(path.read_text()) for path in (DATA / "tests").glob("*_test.yaml")]
    tested = {template for suite in suites for template in suite["templates"]}

    assert tested == templates
