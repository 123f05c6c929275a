import io

from rich.console import Console

from loadtests.demo.results import show_results
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
