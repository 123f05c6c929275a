import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtests.reports.decisions import Decision
from loadtests.reports.panels import draw_age, draw_backlog, draw_orders, draw_replicas, smoothed, spread
from loadtests.reports.plot import HEIGHT, WIDTH, draw
from loadtests.reports.timeline import Moment, Phase
from tests.unit.loadtests.reports.runs import DECISIONS, MOMENTS_OFF, MOMENTS_ON, OFF, ON, summary_of

BLIND = [Moment(seconds=float(second), phase=Phase.RAMP) for second in range(20)]
CASES: dict[str, tuple[Sequence[Moment], Sequence[Decision]]] = {
    "on": (MOMENTS_ON, DECISIONS),
    "off": (MOMENTS_OFF, ()),
    "nothing": ((), ()),
    "one moment": (MOMENTS_ON[40:41], ()),
    "only preparation": (MOMENTS_ON[:3], ()),
    "nothing known": (BLIND, ()),
    "cut off": (MOMENTS_ON[:120], DECISIONS[:2]),
    "many decisions": (MOMENTS_ON, DECISIONS * 4),
}


def size(png: bytes) -> tuple[int, int]:
    # Of a PNG's first chunk.
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


@pytest.mark.parametrize("case", CASES)
def test_a_picture_of_one_size_is_drawn_whatever_was_seen(tmp_path: Path, case: str) -> None:
    moments, decisions = CASES[case]
    path = tmp_path / "out" / "timeline.png"

    draw(moments, decisions, summary_of(OFF if case == "off" else ON), path)

    png = path.read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert size(png) == (WIDTH, HEIGHT)


def test_the_same_run_gives_the_same_picture(tmp_path: Path) -> None:
    for name in ("one", "two"):
        draw(MOMENTS_ON, DECISIONS, summary_of(ON), tmp_path / name)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_run_gives_another_picture(tmp_path: Path) -> None:
    draw(MOMENTS_ON, DECISIONS, summary_of(ON), tmp_path / "on")
    draw(MOMENTS_ON, DECISIONS[:-1], summary_of(ON), tmp_path / "less")

    assert (tmp_path / "on").read_bytes() != (tmp_path / "less").read_bytes()


def test_what_the_operator_decided_before_and_after_is_not_drawn(tmp_path: Path) -> None:
    moments = MOMENTS_ON[:120]
    draw(moments, DECISIONS[:3], summary_of(ON), tmp_path / "within")
    before, after = replace(DECISIONS[0], seconds=2.0), replace(DECISIONS[0], seconds=2_000.0)
    idle = replace(DECISIONS[0], seconds=200.0, after=1)

    draw(moments, (before, *DECISIONS[:3], idle, after), summary_of(ON), tmp_path / "more")

    assert (tmp_path / "within").read_bytes() == (tmp_path / "more").read_bytes()


def test_what_was_seen_between_calibration_and_fault_is_drawn(tmp_path: Path) -> None:
    between = [replace(each, phase=Phase.PREPARATION) if 30 < each.seconds < 48 else each for each in MOMENTS_ON]
    other = [replace(each, lag=9_000) if each.phase is Phase.PREPARATION else each for each in between]
    draw(between, DECISIONS, summary_of(ON), tmp_path / "one")
    draw(other, DECISIONS, summary_of(ON), tmp_path / "other")

    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


def axes_over(moments: Sequence[Moment]) -> Axes:
    axes = Figure().subplots()
    axes.set_xlim(moments[0].seconds, moments[-1].seconds)
    return axes


def labels(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def highest(axes: Axes, label: str) -> float:
    (line,) = [each for each in axes.get_lines() if each.get_label() == label]
    return max(float(value) for value in line.get_ydata() if not math.isnan(value))  # type: ignore[union-attr, arg-type]


def test_the_first_panel_has_what_was_asked_for_and_what_became_of_it() -> None:
    axes = axes_over(MOMENTS_ON)

    draw_orders(axes, MOMENTS_ON)

    assert labels(axes) == ["scheduled", "accepted (5 s mean)", "paid (20 s mean)", "failed (20 s mean)"]
    assert axes.get_ylabel() == "orders/s"
    assert highest(axes, "scheduled") == 100.0


def test_working_off_the_backlog_afterwards_does_not_flatten_the_first_panel() -> None:
    axes = axes_over(MOMENTS_OFF)

    draw_orders(axes, MOMENTS_OFF)

    assert highest(axes, "paid (20 s mean)") > 400
    assert axes.get_ylim()[1] < 150


def test_the_second_panel_has_lag_and_open_orders() -> None:
    axes = axes_over(MOMENTS_OFF)

    draw_backlog(axes, MOMENTS_OFF)

    assert labels(axes) == ["open orders", "lag of stock (records)"]
    assert highest(axes, "lag of stock (records)") == max(each.lag or 0 for each in MOMENTS_OFF)


def test_the_third_panel_has_the_promise_and_the_limit() -> None:
    axes = axes_over(MOMENTS_ON)

    draw_age(axes, MOMENTS_ON)

    assert labels(axes) == ["oldest record age of stock", "promise 10 s", "limit 20 s"]
    assert (highest(axes, "promise 10 s"), highest(axes, "limit 20 s")) == (10.0, 20.0)
    # Also when all is well, one sees how far away the limit is.
    assert axes.get_ylim()[1] > 20


def test_the_fourth_panel_has_the_replicas_and_a_numbered_mark_a_decision() -> None:
    axes = axes_over(MOMENTS_ON)

    draw_replicas(axes, MOMENTS_ON, DECISIONS)

    assert labels(axes) == ["ready", "desired"]
    assert [text.get_text() for text in axes.texts] == ["1", "2", "3", "4", "5", "6"]


def test_what_is_not_known_is_a_gap() -> None:
    moments = [replace(each, lag=None) if each.seconds == 200 else each for each in MOMENTS_ON]
    axes = axes_over(moments)

    draw_backlog(axes, moments)

    (line,) = [each for each in axes.get_lines() if each.get_label() == "lag of stock (records)"]
    gaps = [math.isnan(value) for value in line.get_ydata()]  # type: ignore[union-attr, arg-type]
    assert gaps == [each.seconds == 200 for each in moments]


def test_a_rate_is_the_mean_of_the_known_values_around_it() -> None:
    found = smoothed([0.0, 2.0, 4.0, 6.0, 20.0], [10.0, math.nan, 30.0, 50.0, 7.0])

    assert found[0] == 10.0
    assert math.isnan(found[1])
    assert found[2:] == [40.0, 40.0, 7.0]


def test_marks_that_would_cover_each_other_move_to_the_right() -> None:
    assert spread([10.0, 12.0, 13.0, 40.0], apart=5.0) == [10.0, 15.0, 20.0, 40.0]
    assert spread([], apart=5.0) == []
