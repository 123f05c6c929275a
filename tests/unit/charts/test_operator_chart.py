"""What holds for the chart `operator`, and needs a look at all of it or at the operator's own code."""

from typing import Any

import pytest
import yaml

from doorbuster_operator.handlers import shell
from doorbuster_operator.reconcilers.status import Status
from doorbuster_operator.settings import PREFIX, Settings, read_settings
from tests.unit.charts.kind_schema import kind, levels, schema_of
from tests.unit.charts.rendering import NAMESPACE, OPERATOR, Manifest, cpu_of_pod, helm, pods, rendered

SCENARIOS = sorted(path.name.removesuffix("-values.yaml") for path in (OPERATOR / "ci").glob("*-values.yaml"))


def manifests(scenario: str = "local") -> tuple[Manifest, ...]:
    return rendered(scenario, chart=OPERATOR)


def found(kind: str, scenario: str = "local") -> list[Manifest]:
    return [manifest for manifest in manifests(scenario) if manifest["kind"] == kind]


def container(scenario: str) -> Manifest:
    ((_, _, pod),) = pods(manifests(scenario))
    (only,) = pod["spec"]["containers"]
    result: Manifest = only
    return result


def test_the_operator_asks_for_little_cpu() -> None:
    assert [cpu_of_pod(pod) for _, _, pod in pods(manifests())] == [10]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_reaches_beyond_its_namespaces_but_the_kind(scenario: str) -> None:
    of_the_cluster = {
        manifest["kind"]
        for manifest in manifests(scenario)
        if manifest["kind"].startswith("Cluster") or manifest["kind"] == "CustomResourceDefinition"
    }

    assert of_the_cluster <= {"CustomResourceDefinition"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_operator_reads_the_variables_that_it_is_given(scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {variable["name"]: variable.get("value", "operator-0") for variable in container(scenario)["env"]}
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    settings = read_settings()

    assert told.keys() <= known
    assert settings.namespace == NAMESPACE
    assert {role["metadata"]["namespace"] for role in found("Role", scenario) if "namespace" in role["metadata"]} == {
        *settings.watched
    }


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_lease_that_it_takes_is_the_one_that_it_may_take(scenario: str) -> None:
    told = {variable["name"]: variable.get("value") for variable in container(scenario)["env"]}
    leases = [rule for role in found("Role", scenario) for rule in role["rules"] if rule["resources"] == ["leases"]]

    assert [rule["resourceNames"] for rule in leases if "resourceNames" in rule] == [[told[f"{PREFIX}LEASE_NAME"]]]


def test_ports_are_those_on_which_the_operator_listens() -> None:
    settings = Settings(prometheus_url="http://x", namespace="x")
    ports = {port["name"]: port["containerPort"] for port in container("local")["ports"]}

    assert ports == {"metrics": settings.metrics_port, "liveness": settings.liveness_port}


def test_the_kind_is_the_one_that_the_operator_watches() -> None:
    spec = kind()["spec"]

    assert (spec["group"], spec["names"]["plural"]) == (shell.GROUP, shell.PLURAL)
    assert [version["name"] for version in spec["versions"]] == [shell.VERSION]


def test_every_field_says_what_it_is() -> None:
    fields = [*levels(schema_of("spec"), "spec"), *levels(schema_of("status"), "status")]

    assert [path for path, field in fields if "description" not in field and not path.endswith("[]")] == []
    assert [path for path, field in fields if not field.get("description", ".").endswith(".")] == []


def test_the_kind_is_closed_at_every_level() -> None:
    text = yaml.safe_dump(kind())

    assert "x-kubernetes-preserve-unknown-fields" not in text
    assert "additionalProperties" not in text


def resolved(schema: Manifest, definitions: Manifest) -> Manifest:
    """What a schema of pydantic says, without its references and without `null` beside something else."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    if name:
        return resolved(definitions[name], definitions)
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    return resolved(choices[0], definitions) if choices else schema


def fields_of(schema: Manifest, definitions: Manifest, path: str) -> dict[str, Any]:
    """The type of each field that pydantic writes, by where it is."""
    schema = resolved(schema, definitions)
    fields: dict[str, Any] = {path: schema["type"]}
    for name, each in schema.get("properties", {}).items():
        fields |= fields_of(each, definitions, f"{path}.{name}")
    if "items" in schema:
        fields |= fields_of(schema["items"], definitions, f"{path}[]")
    return fields


def test_the_kind_keeps_every_field_of_the_status_that_the_operator_writes() -> None:
    written = Status.model_json_schema(mode="serialization", by_alias=True)
    kept = {path: schema["type"] for path, schema in levels(schema_of("status"), "status")}

    assert kept == fields_of(written, written["$defs"], "status")


def test_every_column_is_a_field_of_the_kind() -> None:
    paths = {f".{path}" for part in ("spec", "status") for path, _ in levels(schema_of(part), part)}
    columns = kind()["spec"]["versions"][0]["additionalPrinterColumns"]

    assert [each["name"] for each in columns if each["jsonPath"] not in paths] == ["Age"]


def test_values_that_contradict_each_other_are_refused() -> None:
    answer = helm("template", "operator", OPERATOR, "--set", "requestSeconds=2")

    assert answer.returncode != 0
    assert "a tick's calls would not end within half of it" in answer.stderr
