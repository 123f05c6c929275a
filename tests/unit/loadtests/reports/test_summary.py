import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from loadtests.reports.errors import NotASummary
from loadtests.reports.evidence import Evidence, OrderCounts, Replicas
from loadtests.reports.limits import Subject
from loadtests.reports.summary import SCHEMA, Summary, read_summary, write_summary
from loadtests.reports.verdict import Verdict
from tests.unit.loadtests.reports.runs import DECISIONS, OFF, ON, summary_of

UNKNOWN = replace(
    ON, interrupted=True, calibration=None, orders=OrderCounts(offered=3, accepted=2, sold_out=0, paid=None,
    failed=None, pending=None), failure_reasons=None, failed_elsewhere=None, hot=None, seconds_until_final=None,
    uncompensated=None, lost=None, doubled=None, oversold=None, negative_points=None, misbooked=None,
    lag_max=None, oldest_age_max_s=None, replicas=Replicas(start=None, min=None, max=None, end=None),
    seconds_until_one_replica=None, pending_at_load_end=None,
)  # fmt: skip
SUMMARIES = {
    "on": summary_of(ON, DECISIONS),
    "off": summary_of(OFF),
    "unknown": replace(summary_of(UNKNOWN), latency_ms=None),
}
# What the demonstration was asked to leave behind.
ASKED_FOR = {
    "orders", "oversold", "negative_points", "lost", "lag_max", "oldest_age_max_s", "replicas", "decisions", "verdict",
}  # fmt: skip


def schema() -> Any:  # the validator takes any JSON
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def written(path: Path, summary: Summary) -> Any:  # any JSON
    write_summary(path, summary)
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_summary_has_the_schemas_form(tmp_path: Path, name: str) -> None:
    told = written(tmp_path / "summary.json", SUMMARIES[name])

    jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker()).validate(told)


@pytest.mark.parametrize("name", SUMMARIES)
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "out" / "summary.json"

    write_summary(path, SUMMARIES[name])

    found = read_summary(path)
    assert found == SUMMARIES[name]
    # Counts are still counts.
    assert [check.shown for check in found.checks] == [check.shown for check in SUMMARIES[name].checks]


def test_the_schema_knows_every_field_and_no_other(tmp_path: Path) -> None:
    told = written(tmp_path / "summary.json", SUMMARIES["on"])

    assert set(schema()["properties"]) == set(told) == set(schema()["required"])
    assert set(told) >= ASKED_FOR
    assert list(told["orders"]) == ["offered", "accepted", "sold_out", "paid", "failed", "pending"]
    assert {"min", "max", "end"} <= set(told["replicas"])
    assert set(told["checks"][0]) == {"subject", "name", "value", "unit", "limit", "passed"}


def test_the_schema_knows_every_verdict_and_subject() -> None:
    properties = schema()["properties"]

    assert properties["verdict"]["enum"] == [each.value for each in Verdict]
    assert set(properties["checks"]["items"]["properties"]["subject"]["enum"]) == {each.value for each in Subject}


@pytest.mark.parametrize(
    "change",
    [{"verdict": "FINE"}, {"lost": -1}, {"lost": "none"}, {"extra": 1}, {"operator": True}, {"orders": {"offered": 1}}],
)
def test_the_schema_refuses_another_form(tmp_path: Path, change: dict[str, object]) -> None:
    told = written(tmp_path / "summary.json", SUMMARIES["on"])

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**told, **change}, schema())


def test_unknown_is_null_and_not_zero(tmp_path: Path) -> None:
    told = written(tmp_path / "summary.json", SUMMARIES["unknown"])

    assert (told["lost"], told["lag_max"], told["latency_ms"], told["orders"]["paid"]) == (None, None, None, None)
    assert told["verdict"] == "INTERRUPTED"


def test_a_value_that_is_no_number_is_refused(tmp_path: Path) -> None:
    broken: Evidence = replace(ON, oldest_age_max_s=float("nan"))

    with pytest.raises(ValueError, match="JSON compliant"):
        write_summary(tmp_path / "summary.json", summary_of(broken))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 2}', '{"version": 1}', "\xff"])
def test_something_else_is_no_summary(tmp_path: Path, text: str) -> None:
    path = tmp_path / "summary.json"
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(NotASummary, match=r"summary\.json"):
        read_summary(path)
