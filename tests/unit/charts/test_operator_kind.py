"""The kind ConsumerScaler says the same to the API server as the operator's model says to itself."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from doorbuster_operator.model.durations import PATTERN, seconds_of
from doorbuster_operator.model.spec import Assignor, ScalerSpec
from tests.unit.charts.kind_schema import levels, schema_of
from tests.unit.charts.rendering import OPERATOR, Manifest

EXAMPLES = sorted((OPERATOR / "examples").glob("*.yaml"))
# The rules that aren't JSON Schema, as the API server understands them; another one has to be added here.
RULES: dict[str, Callable[[Any], bool]] = {
    "self.minReplicas <= self.maxReplicas": lambda spec: spec["minReplicas"] <= spec["maxReplicas"],
    "self.matches('[1-9]')": lambda text: re.search("[1-9]", text) is not None,
    "duration(self) <= duration('4m')": lambda text: round(seconds_of(text), 6) <= 240,
    "duration(self) <= duration('1h')": lambda text: round(seconds_of(text), 6) <= 3600,
}


def with_defaults(schema: Manifest, value: Any) -> Any:
    """A value with the defaults that the API server fills in."""
    if not isinstance(value, dict):
        return value
    fields = schema.get("properties", {})
    filled = {**{name: each["default"] for name, each in fields.items() if "default" in each}, **value}
    return {name: with_defaults(fields.get(name, {}), each) for name, each in filled.items()}


def closed(schema: Manifest) -> Manifest:
    """The schema as `kubectl` uses it: unknown fields are refused, and not silently dropped."""
    below = {name: closed(each) for name, each in schema.get("properties", {}).items()}
    return {**schema, "properties": below, "additionalProperties": False} if below else schema


def broken_rules(schema: Manifest, value: Any) -> Iterator[str]:
    for each in schema.get("x-kubernetes-validations", []):
        if not RULES[each["rule"]](value):
            yield each["message"]
    if isinstance(value, dict):
        for name, part in value.items():
            yield from broken_rules(schema["properties"][name], part)


def accepted_by_the_kind(spec: Any) -> bool:
    schema = schema_of("spec")
    filled = with_defaults(schema, spec)
    # OpenAPI's `exclusiveMinimum: true` is that of the fourth draft.
    if list(jsonschema.Draft4Validator(closed(schema)).iter_errors(filled)):
        return False
    return not list(broken_rules(schema, filled)) and len(set(filled["topics"])) == len(filled["topics"])


def accepted_by_the_model(spec: Any) -> bool:
    try:
        ScalerSpec.model_validate(spec)
    except ValidationError:
        return False
    return True


durations = st.from_regex(re.compile(PATTERN.replace("+", "{1,3}"), re.ASCII), fullmatch=True).map(str)
topics = st.lists(st.from_regex(r"[a-z0-9._-]{1,20}", fullmatch=True), min_size=1, max_size=3, unique=True)
shares = st.floats(min_value=0, max_value=2, allow_nan=False)


def section(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


specs = st.fixed_dictionaries(
    {
        "targetRef": st.fixed_dictionaries(
            {"name": st.from_regex(r"[a-z-]{0,20}", fullmatch=True)},
            optional={"kind": st.sampled_from(["Deployment", "StatefulSet"])},
        ),
        "consumerGroup": st.from_regex(r"[a-z-]{0,20}", fullmatch=True),
        "topics": topics,
        "maxReplicas": st.integers(0, 20),
    },
    optional={
        "assignor": st.sampled_from([*map(str, Assignor), "random"]),
        "minReplicas": st.integers(-1, 20),
        "slo": section(oldestRecordAge=durations, drainTime=durations),
        "utilization": shares,
        "capacityHint": shares,
        "commitInterval": durations,
        "idle": section(after=durations),
        "scaleDown": section(window=durations),
        "paused": st.booleans(),
        "dryRun": st.booleans(),
    },
)
SMALLEST = {
    "targetRef": {"name": "apps-consumer-stock"},
    "consumerGroup": "stock-service-group",
    "topics": ["order-created"],
    "maxReplicas": 12,
}


@given(specs)
@settings(deadline=None, max_examples=200)
def test_a_spec_that_one_accepts_the_other_accepts(spec: dict[str, Any]) -> None:
    assert accepted_by_the_kind(spec) == accepted_by_the_model(spec)


@pytest.mark.parametrize(
    "changes",
    [
        {"minReplicas": 13},
        {"minReplicas": -1},
        {"maxReplicas": 0},
        {"utilization": 0},
        {"utilization": 1.01},
        {"capacityHint": 0},
        {"commitInterval": "0s"},
        {"commitInterval": "0.0m0h"},
        {"commitInterval": "soon"},
        {"commitInterval": ""},
        {"slo": {"drainTime": "10"}},
        {"slo": {"drain": "10s"}},
        {"slo": {"oldestRecordAge": "4m1ms"}},
        {"slo": {"oldestRecordAge": "1h"}},
        {"scaleDown": {"window": "1h1s"}},
        {"assignor": "random"},
        {"targetRef": {"name": "stock", "kind": "StatefulSet"}},
        {"targetRef": {"name": ""}},
        {"consumerGroup": ""},
        {"topics": []},
        {"topics": [f"topic-{number}" for number in range(21)]},
        {"replicas": 3},
        {"paused": "perhaps"},
    ],
)
def test_what_makes_no_sense_is_refused_by_both(changes: dict[str, Any]) -> None:
    assert not accepted_by_the_kind({**SMALLEST, **changes})
    assert not accepted_by_the_model({**SMALLEST, **changes})


@pytest.mark.parametrize("changes", [{"slo": {"oldestRecordAge": "3m60s"}}, {"scaleDown": {"window": "60m"}}])
def test_the_longest_durations_are_accepted_by_both(changes: dict[str, Any]) -> None:
    assert accepted_by_the_kind({**SMALLEST, **changes})
    assert accepted_by_the_model({**SMALLEST, **changes})


def test_the_model_says_what_is_longest() -> None:
    with pytest.raises(ValidationError, match=r"must be at most 4m"):
        ScalerSpec.model_validate({**SMALLEST, "slo": {"oldestRecordAge": "5m"}})


@given(durations)
@settings(deadline=None, max_examples=100)
def test_both_know_the_same_durations(text: str) -> None:
    spec = {**SMALLEST, "commitInterval": text}

    assert accepted_by_the_kind(spec) == accepted_by_the_model(spec)


def test_every_duration_has_the_models_pattern() -> None:
    patterns = {path: each["pattern"] for path, each in levels(schema_of("spec"), "spec") if "pattern" in each}

    assert patterns.pop("spec.topics[]") == "^[a-zA-Z0-9._-]+$"
    assert set(patterns.values()) == {PATTERN}
    assert len(patterns) == 5


def test_defaults_are_the_same() -> None:
    filled = with_defaults(schema_of("spec"), SMALLEST)

    assert ScalerSpec.model_validate(filled) == ScalerSpec.model_validate(SMALLEST)
    assert filled.keys() | {"capacityHint"} == {field.alias for field in ScalerSpec.model_fields.values()}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_accepted_by_both(path: Any) -> None:
    document = yaml.safe_load(path.read_text())

    assert document["kind"] == "ConsumerScaler"
    assert accepted_by_the_kind(document["spec"])
    assert accepted_by_the_model(document["spec"])


def test_one_example_has_every_field() -> None:
    document = yaml.safe_load((OPERATOR / "examples" / "everything.yaml").read_text())
    fields = {path for path, each in levels(schema_of("spec"), "spec") if "properties" not in each and "[]" not in path}

    def paths(value: Any, path: str) -> set[str]:
        if isinstance(value, dict):
            return {found for name, each in value.items() for found in paths(each, f"{path}.{name}")}
        return {path}

    assert paths(document["spec"], "spec") == fields
