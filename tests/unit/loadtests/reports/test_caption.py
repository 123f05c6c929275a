from dataclasses import replace

import pytest

from loadtests.reports.caption import DecisionLine, conditions, decision_lines, figures, title
from loadtests.reports.decisions import Decision
from loadtests.reports.evidence import Calibration, Evidence
from tests.unit.loadtests.reports.runs import OFF, ON, RUN, summary_of

MESSAGE = (
    "62.0 records/s arrive, 315 wait (oldest 8 s); a replica does 33.2/s (measured), planned at 80%: 3 replicas would "
    "carry the arrivals; 2 replicas can't drain the backlog: from 2 to 3"
)
DECISION = Decision(seconds=187.4, before=2, after=3, reason="ScaleOut", message=MESSAGE)

TITLES: dict[str, Evidence] = {
    "PASSED: 19,998 of 20,398 orders paid, 400 sold out, none lost; replicas 1 → 5 → 1": ON,
    "FAILED AS EXPECTED: 55 % of 20,398 orders still pending when the load ended; none lost": OFF,
    "FAILED: orders lost 2, allowed exactly 0": replace(ON, lost=2),
    "FAILED: orders lost not known, allowed exactly 0": replace(ON, lost=None),
    "FAILED: orders lost 2, allowed exactly 0; units oversold 1, allowed exactly 0; and 1 more": replace(
        ON, lost=2, oversold=1, oldest_age_max_s=30.0
    ),
    "NOT COMPARABLE: too much for this machine even without the fault; none lost": replace(ON, calibration=None),
    "INTERRUPTED: somebody stopped the run, so it shows nothing": replace(ON, interrupted=True),
}


@pytest.mark.parametrize("words", TITLES)
def test_the_title_says_what_was_shown(words: str) -> None:
    assert title(summary_of(TITLES[words])) == words


def test_the_conditions_are_told() -> None:
    assert conditions(summary_of(ON)) == (
        "Operator on. Up to 100 orders/s; each record takes the stock consumer 30 ms on purpose. 2 cores and 8 GiB."
    )
    healthy = replace(summary_of(ON), run=replace(RUN, delay_ms=0.0))
    assert conditions(healthy) == "Operator on. Up to 100 orders/s; no fault. 2 cores and 8 GiB."
    unknown = replace(RUN, machine=replace(RUN.machine, memory_gib=None))
    assert conditions(replace(summary_of(OFF), run=unknown)).endswith(" 2 cores.")


def test_the_figures_are_told_or_that_they_are_not_known() -> None:
    assert figures(summary_of(ON)) == (
        "Last order to all final: 3 s. Oldest record: 14 s. Most lag: 1,012 records. "
        "Hot product: wanted 600 times, 200 of 200 sold."
    )
    unknown = replace(ON, seconds_until_final=None, oldest_age_max_s=None, lag_max=None, hot=None)
    assert figures(summary_of(unknown)) == (
        "Last order to all final: not seen. Oldest record: not known. Most lag: not known."
    )


def test_a_machine_that_is_too_slow_is_told_by_its_calibration() -> None:
    slow = replace(ON, calibration=Calibration(scheduled=3000, offered=2900, accepted=2800, seconds_until_final=None))

    assert figures(summary_of(slow)) == (
        "Calibration: 2,900 of 3,000 orders offered, 2,800 accepted. Last order to all final: not seen."
    )


def test_a_decision_is_told_by_what_was_seen_and_what_followed() -> None:
    assert decision_lines([DECISION], most=9, width=140) == [
        DecisionLine(
            number="1",
            time="3:07",
            change="2 → 3",
            text=("ScaleOut: 62.0 records/s arrive, 315 wait (oldest 8 s); 2 replicas can't drain the backlog"),
        )
    ]


def test_a_decision_of_one_part_is_told_whole() -> None:
    (found,) = decision_lines([replace(DECISION, message="fewer than minReplicas")], most=9, width=140)

    assert found.text == "ScaleOut: fewer than minReplicas"


def test_a_long_decision_is_cut_between_words() -> None:
    (found,) = decision_lines([DECISION], most=9, width=40)

    assert found.text == "ScaleOut: 62.0 records/s arrive, 315 …"


@pytest.mark.parametrize(("count", "numbers"), [(0, []), (3, ["1", "2", "3"]), (5, ["1", "2", ""])])
def test_more_decisions_than_there_is_room_for_are_counted(count: int, numbers: list[str]) -> None:
    lines = decision_lines([DECISION] * count, most=3, width=140)

    assert [each.number for each in lines] == numbers
    assert [each.text for each in lines if not each.number] == ["and 3 more, in summary.json"] * (count > 3)
