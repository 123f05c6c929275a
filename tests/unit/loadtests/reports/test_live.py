from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from loadtests.reports.decisions import Decision
from loadtests.reports.evidence import Operator, OrderCounts
from loadtests.reports.live import LiveView, line, page
from loadtests.reports.timeline import Moment, Phase
from tests.unit.loadtests.reports.runs import DECISIONS, MOMENTS_OFF, MOMENTS_ON

NOW = Moment(
    seconds=262.0,
    phase=Phase.PEAK,
    offered_per_s=101.0,
    accepted_per_s=100.0,
    paid_per_s=93.0,
    failed_per_s=4.0,
    pending=318,
    lag=312,
    oldest_age_s=6.14,
    replicas=5,
    ready=4,
)
MESSAGE = "98.2 records/s arrive, 312 wait (oldest 6 s); a replica does 33.2/s: 4 would do; it stays at [4]"
ON = LiveView(
    operator=Operator.ON,
    phase=Phase.PEAK,
    elapsed_seconds=262.0,
    total_seconds=566.0,
    orders=OrderCounts(offered=12_340, accepted=12_339, sold_out=57, paid=11_902, failed=120, pending=318),
    moments=(*MOMENTS_ON[:131], NOW),
    reason="AlreadyOrdered",
    message=MESSAGE,
    decisions=DECISIONS,
)
OFF = replace(ON, operator=Operator.OFF, moments=MOMENTS_OFF[:187], reason="Paused", decisions=())
BEGINNING = LiveView(
    operator=Operator.ON,
    phase=Phase.PREPARATION,
    elapsed_seconds=1.0,
    total_seconds=566.0,
    orders=OrderCounts(offered=0, accepted=0, sold_out=0, paid=None, failed=None, pending=None),
)
VIEWS = {"on": ON, "off": OFF, "beginning": BEGINNING, "overdue": replace(ON, elapsed_seconds=900.0)}


def shown(view: LiveView, width: int = 100) -> list[str]:
    console = Console(width=width, record=True, file=StringIO(), color_system=None)
    console.print(page(view))
    return console.export_text().splitlines()


def row(view: LiveView, label: str) -> str:
    (found,) = [each for each in shown(view) if each.startswith(f"│ {label}")]
    return " ".join(found.strip("│ ").split())


def test_the_page_says_where_the_run_is() -> None:
    assert row(ON, "PEAK") == "PEAK 4:22 of about 9:26"
    assert row(replace(ON, note="waiting for lag 0"), "PEAK") == "PEAK waiting for lag 0 4:22 of about 9:26"


def test_the_page_counts_orders_and_tells_their_rates() -> None:
    assert row(ON, "Orders") == "Orders offered accepted sold out paid failed open"
    assert row(ON, "so far") == "so far 12,340 12,339 57 11,902 120 318"
    assert row(ON, "a second") == "a second 101 100 93 4"


def test_the_page_tells_how_the_consumer_does() -> None:
    assert row(ON, "Stock") == "Stock lag 312 replicas ■■■■□ 4 of 5 ready oldest record 6.1 s (promise 10 s)"


def test_the_page_shows_the_last_minutes() -> None:
    assert row(ON, "lag").startswith("lag ▁")
    assert row(ON, "lag").endswith("most 670 in 4 min")
    assert row(ON, "replicas").endswith("most 4 in 4 min")


def test_the_page_tells_the_operators_reason_in_its_words() -> None:
    text = " ".join(each.strip("│ ") for each in shown(ON))

    assert row(ON, "Operator") == "Operator AlreadyOrdered"
    # Also with what would be markup.
    assert MESSAGE in text


def test_the_page_shows_the_last_five_decisions_with_their_time() -> None:
    lines = shown(ON)

    assert not any("2:38" in each for each in lines)
    assert row(ON, "  8:22") == "8:22 4 → 1 ScaleIn 0.0 records/s arrive, 315 wait (oldest 8 s)"
    assert sum(" → " in each for each in lines) == 5


def test_with_the_operator_off_the_page_says_so() -> None:
    assert shown(OFF)[0].startswith("╭─ Flash sale, operator off")
    assert row(OFF, "Operator") == "Operator off: the replicas stay as they are (Paused)"
    assert row(OFF, "none yet") == "none yet"


def test_what_is_not_known_is_a_question_mark_and_never_nothing() -> None:
    assert row(BEGINNING, "so far") == "so far 0 0 0 ? ? ?"
    assert row(BEGINNING, "a second") == "a second ? ? ? ?"
    assert row(BEGINNING, "Stock") == "Stock lag ? replicas ? of ? ready oldest record ? (promise 10 s)"
    assert row(BEGINNING, "Operator") == "Operator nothing read yet"


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100, 160])
def test_the_page_fits_and_never_changes_its_height(width: int) -> None:
    long = Decision(seconds=9.0, before=1, after=12, reason="MetricsUnavailable", message="word " * 200)
    views = [*VIEWS.values(), replace(ON, message="word " * 200, decisions=(long,) * 9, note="long " * 40)]
    pages = [shown(view, width) for view in views]

    assert {len(lines) for lines in pages} == {24}
    assert max(len(each) for lines in pages for each in lines) == min(width, 100)


def test_a_late_record_is_marked_by_its_colour() -> None:
    def colours(age: float) -> str:
        console = Console(width=100, record=True, file=StringIO(), force_terminal=True, color_system="standard")
        console.print(page(replace(ON, moments=(replace(NOW, oldest_age_s=age),))))
        (found,) = [each for each in console.export_text(styles=True).splitlines() if "Stock" in each]
        return found

    assert "\x1b[1;31m20.1 s" in colours(20.1)
    assert "\x1b[1;33m10.1 s" in colours(10.1)
    assert "\x1b[1m10.0 s" in colours(10.0)


def test_a_log_gets_everything_in_one_line() -> None:
    assert line(ON) == (
        "4:22 peak: 12,340 offered, 12,339 accepted, 57 sold out, 11,902 paid, 120 failed, 318 open; 100/s accepted; "
        "lag 312, oldest 6.1 s, replicas 4 of 5 ready; AlreadyOrdered"
    )


def test_a_log_tells_what_is_not_known() -> None:
    assert line(BEGINNING) == (
        "0:01 preparation: 0 offered, 0 accepted, 0 sold out, ? paid, ? failed, ? open; ?/s accepted; "
        "lag ?, oldest ?, replicas ? of ? ready; no word from the operator"
    )
