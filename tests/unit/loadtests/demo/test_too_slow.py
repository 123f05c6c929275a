"""Runs on a machine that can't do the load even without the fault (P20)."""

import json

import jsonschema
import pytest

from loadtests.reports.evidence import Operator
from loadtests.reports.summary import SCHEMA
from loadtests.rig import load
from tests.unit.loadtests.demo.stage import Stage
from tests.unit.loadtests.rig.generators import TOO_SLOW, generator, refused


@pytest.fixture
def slow(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(load, "locust_command", lambda: generator(TOO_SLOW))
    return stage


def test_the_course_is_left_out_and_the_platform_drained(slow: Stage) -> None:
    assert slow.run() == 3
    steps = [step for step in slow.platform.done if step not in {"restless", "unfinished"}]
    assert steps == ["check", "top_up 0", "at_work", "oversold", "negative_points", "misbooked"]
    assert not (slow.folder / "witness.jsonl").exists()


def test_the_summary_has_the_schemas_form_and_null_for_what_nobody_knows(slow: Stage) -> None:
    slow.run()

    summary = slow.summary()
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(summary)
    assert summary["verdict"] == "NOT COMPARABLE"
    assert (summary["lost"], summary["doubled"], summary["oversold"]) == (0, 0, 0)
    assert (summary["hot"], summary["lag_max"], summary["latency_ms"], summary["orders"]["paid"]) == (None,) * 4
    assert {check["subject"] for check in summary["checks"]} == {"safety", "machine"}
    assert summary["calibration"]["offered"] == 140
    assert summary["delay_ms"] == 0


def test_what_was_seen_is_drawn(slow: Stage) -> None:
    slow.run()

    assert (slow.folder / "timeline.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("operator", "command"), [(Operator.ON, "PEAK=2.5"), (Operator.OFF, "OPERATOR=off PEAK=2.5")])
def test_half_of_the_peak_is_what_to_try_next(slow: Stage, operator: Operator, command: str) -> None:
    assert slow.run(operator) == 3
    printed = slow.printed.getvalue()
    assert "so the course is left out: calibration: offered of scheduled 93.33 %, not at least 98 %" in printed
    assert f"`make demo {command}`" in printed


def test_a_lost_order_is_a_failure_on_any_machine(slow: Stage) -> None:
    slow.forgotten = {"order-7"}

    assert slow.run() == 1
    assert (slow.summary()["lost"], slow.summary()["verdict"]) == (1, "FAILED")


def test_a_platform_that_does_not_come_to_rest_again_is_an_error(slow: Stage) -> None:
    slow.platform.fails["at_work"] = refused("open sagas")

    assert slow.run() == 1
    assert "open sagas" in slow.printed.getvalue()
