import io
import os

import pytest
from rich.console import Console

from loadtests.demo.results import memory_gib, show_results, usable_cores
from loadtests.reports.evidence import Operator
from loadtests.reports.summary import summarize
from loadtests.reports.verdict import Verdict
from tests.unit.loadtests.demo.test_plan import plan
from tests.unit.loadtests.reports.runs import OFF, ON, RUN


def shown(verdict_of_operator: Operator) -> str:
    evidence = ON if verdict_of_operator is Operator.ON else OFF
    text = io.StringIO()
    summary = summarize(RUN, evidence, latency_ms=None, decisions=())
    show_results(summary, plan(operator=verdict_of_operator), Console(file=text, width=200))
    return text.getvalue()


def test_every_check_is_shown_with_its_limit_and_the_verdict_below() -> None:
    text = shown(Operator.ON)

    assert "paid of accepted" in text
    assert "at least 95 %" in text
    assert Verdict.PASSED.value in text


def test_each_run_points_to_the_other_one() -> None:
    assert "make demo OPERATOR=off" in shown(Operator.ON)
    assert "operator off" in shown(Operator.OFF)


def test_where_nobody_says_which_cores_may_be_used_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 10)

    assert usable_cores() == 10


@pytest.mark.parametrize(("text", "gib"), [("MemTotal:       16384000 kB\nMemFree: 1 kB\n", 15.6), ("", None)])
def test_memory_is_what_the_kernel_says(text: str, gib: float | None) -> None:
    assert memory_gib(text) == gib
