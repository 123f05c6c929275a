"""Draws a scenario: its requests over their time, or two sides of it beside each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from loadtests.reports.limits import Check
from loadtests.reports.measurements import Measurement, Sample, Window, windows
from loadtests.reports.panels import BLUE, GREEN, GREY, HEADROOM, LINE, ORANGE, THIN, VERMILION
from loadtests.reports.scenario_summary import ScenarioSummary
from loadtests.reports.verdict import Verdict
from loadtests.witness import Outcome

_DPI: Final = 100
_WIDTH, _HEIGHT = 12.0, 7.0
_OUTCOMES: Final = (
    (Outcome.OK, GREEN, "succeeded"),
    (Outcome.SOLD_OUT, ORANGE, "sold out"),
    (Outcome.FAIL, VERMILION, "refused"),
    (Outcome.UNKNOWN, GREY, "unknown"),
)
# What a comparison shows of each kind of request.
_TIMES: Final = (("p50", "p50_ms"), ("p95", "p95_ms"), ("p99", "p99_ms"))


def draw_over_time(
    summary: ScenarioSummary, samples: Sequence[Sample], lag: Sequence[tuple[float, float]], path: Path
) -> None:
    """Write a picture of requests a second by outcome, of how long they took, and of the lag where it is known.

    Args:
        summary: for the title.
        samples: the requests that are drawn.
        lag: seconds since 1970 and records.
        path: a PNG file.
    """
    drawn = windows(samples)
    figure, (rates, times, *rest) = _panels(3 if lag else 2, summary)
    for panel in (times, *rest):
        panel.sharex(rates)
    _draw_rates(rates, drawn)
    _draw_times(times, drawn)
    if rest:
        began = min((sample.at for sample in samples), default=lag[0][0])
        rest[0].plot([at - began for at, _ in lag], [value for _, value in lag], color=BLUE, linewidth=LINE)
        _finish(rest[0], "most lag (records)")
    (rest[0] if rest else times).set_xlabel("seconds since the first request")
    _save(figure, path)


def draw_comparison(summary: ScenarioSummary, path: Path) -> None:
    """Write a picture of all measurements beside each other: requests a second, and how long they took."""
    figure, (rates, times) = _panels(2, summary)
    names = [each.name for each in summary.measurements]
    places = list(range(len(names)))
    bars = rates.bar(places, [each.per_second or 0.0 for each in summary.measurements], color=BLUE, width=0.6)
    rates.bar_label(bars, fmt="{:,.0f}")
    _finish(rates, "requests/s")
    _draw_quantiles(times, summary.measurements)
    for panel in (rates, times):
        panel.set_xticks(places, names)
    _save(figure, path)


def _draw_rates(axes: Axes, drawn: Sequence[Window]) -> None:
    seconds = [window.begin for window in drawn]
    for outcome, color, label in _OUTCOMES:
        values = [window.rates[outcome] for window in drawn]
        if any(values):
            axes.step(seconds, values, where="post", color=color, linewidth=LINE, label=label)
    _finish(axes, "requests/s")


def _draw_times(axes: Axes, drawn: Sequence[Window]) -> None:
    known = [window for window in drawn if window.p50_ms is not None and window.p95_ms is not None]
    seconds = [window.begin for window in known]
    axes.plot(seconds, [window.p50_ms or 0.0 for window in known], color=BLUE, linewidth=THIN, label="p50")
    axes.plot(seconds, [window.p95_ms or 0.0 for window in known], color=VERMILION, linewidth=THIN, label="p95")
    _finish(axes, "milliseconds")


def _draw_quantiles(axes: Axes, measurements: Sequence[Measurement]) -> None:
    width = 0.25
    for number, ((label, name), color) in enumerate(zip(_TIMES, (BLUE, ORANGE, VERMILION), strict=True)):
        places = [place + (number - 1) * width for place in range(len(measurements))]
        bars = axes.bar(places, [getattr(each, name) or 0.0 for each in measurements], width, color=color, label=label)
        axes.bar_label(bars, fmt="{:,.0f}")
    _finish(axes, "milliseconds")


def _panels(count: int, summary: ScenarioSummary) -> tuple[Figure, tuple[Axes, ...]]:
    # From matplotlib's own defaults: a person's matplotlibrc would give another picture.
    with style.context(["default", {"font.size": 11}]):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI)
        FigureCanvasAgg(figure)
        panels = figure.subplots(count, 1, squeeze=False)[:, 0]
        figure.subplots_adjust(left=0.08, right=0.98, top=0.88, bottom=0.09, hspace=0.28)
        figure.text(0.08, 0.955, f"{summary.scenario}: {headline(summary)}", fontsize=15, weight="bold")
        figure.text(0.08, 0.915, f"{summary.title}. {summary.place}.", fontsize=10.5, color="#444444")
        return figure, tuple(panels)


def headline(summary: ScenarioSummary) -> str:
    """Return the verdict, with the first figure that was missed; more of them are wider than the picture."""
    missed: list[Check] = [check for check in summary.checks if not check.passed]
    if summary.verdict is Verdict.PASSED or not missed:
        return summary.verdict.value
    first, *others = missed
    more = f"; and {len(others)} more" if others else ""
    return f"{summary.verdict.value}: {first.name} {first.shown}, limit {first.limit}{more}"


def _finish(axes: Axes, unit: str) -> None:
    # Room for the legend above the highest value.
    axes.set_ylim(0, max(axes.get_ylim()[1], 1.0) * HEADROOM)
    axes.set_ylabel(unit)
    axes.grid(visible=True, axis="y", color="#D9D9D9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper right", frameon=False, ncols=4)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the version of the library, which would be written into the file.
    figure.savefig(path, format="png", metadata={"Software": None})
