"""Draws a run as one picture: four panels over the same time, the phases behind them, the decisions below."""

from collections.abc import Iterator, Sequence
from itertools import dropwhile, groupby
from pathlib import Path
from textwrap import shorten
from typing import Final

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from loadtests.reports.caption import DecisionLine, conditions, decision_lines, figures, title
from loadtests.reports.decisions import Decision
from loadtests.reports.panels import GREY, draw_age, draw_backlog, draw_orders, draw_replicas
from loadtests.reports.summary import Summary
from loadtests.reports.timeline import Moment, Phase, clock

WIDTH: Final = 1600
HEIGHT: Final = 1200
"""In pixels; at 900 pixels of width, as a README shows it, the smallest type still has 9 pixels."""
_DPI: Final = 100
# As parts of the figure's height and width.
_LEFT, _RIGHT, _TOP = 0.08, 0.985, 0.878
_LINE_HEIGHT: Final = 0.021
_MOST_LINES: Final = 9
_LINE_CHARACTERS: Final = 140
# Where the parts of a decision's line begin.
_COLUMNS: Final = (0.088, 0.108, 0.15, 0.197)
# So many letters of the title are as wide as the panels; more of them are drawn smaller.
_TITLE_LETTERS: Final = 98
_MOST_TITLE_LETTERS: Final = 130
_TITLE_POINTS: Final = 17.5
# Of the run's time: as wide as a letter of a phase's name.
_LETTER: Final = 0.0062
_SHADES: Final = ("#F2F4F7", "#FFFFFF")


def draw(moments: Sequence[Moment], decisions: Sequence[Decision], summary: Summary, path: Path) -> None:
    """Write the picture as PNG; the same values give the same bytes.

    Decisions that changed nothing aren't drawn, nor those from before or after what is shown.
    """
    # The wait before it all may be long. A later one is shown: lines across what was left out would be made up.
    seen = list(dropwhile(lambda moment: moment.phase is Phase.PREPARATION, moments))
    first, last = _span(seen)
    scaled = [decision for decision in decisions if decision.scaled and first <= decision.seconds <= last]
    # From matplotlib's own defaults: a person's matplotlibrc would give another picture.
    with style.context(["default", {"font.size": 13, "xtick.labelsize": 12.5, "ytick.labelsize": 12.5}]):
        figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI)
        FigureCanvasAgg(figure)
        lines = decision_lines(scaled, most=_MOST_LINES, width=_LINE_CHARACTERS)
        _panels(figure, seen, scaled, bottom=0.085 + _LINE_HEIGHT * max(1, len(lines)))
        _headlines(figure, summary)
        _list(figure, lines)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without the version of the library, which would be written into the file.
        figure.savefig(path, format="png", metadata={"Software": None})


def _panels(figure: Figure, moments: Sequence[Moment], decisions: Sequence[Decision], *, bottom: float) -> None:
    panels: list[Axes] = list(figure.subplots(4, 1, sharex=True))
    figure.subplots_adjust(left=_LEFT, right=_RIGHT, top=_TOP, bottom=bottom, hspace=0.14)
    first, last = _span(moments)
    for panel in panels:
        panel.set_xlim(first, last)
        _shade(panel, moments)
    draw_orders(panels[0], moments)
    draw_backlog(panels[1], moments)
    draw_age(panels[2], moments)
    draw_replicas(panels[3], moments, decisions)
    _name_phases(panels[0], moments)
    panels[3].xaxis.set_major_locator(MultipleLocator(_tick(last - first)))
    panels[3].xaxis.set_major_formatter(FuncFormatter(lambda seconds, _position: clock(seconds)))
    panels[3].set_xlabel("minutes:seconds since the run began")
    figure.align_ylabels(panels)


def _headlines(figure: Figure, summary: Summary) -> None:
    words = shorten(title(summary), width=_MOST_TITLE_LETTERS, placeholder=" …")
    points = _TITLE_POINTS * min(1.0, _TITLE_LETTERS / len(words))
    figure.text(_LEFT, 0.97, words, fontsize=points, weight="bold", va="center")
    figure.text(_LEFT, 0.942, conditions(summary), fontsize=13, color="#444444", va="center")
    figure.text(_LEFT, 0.92, figures(summary), fontsize=13, color="#444444", va="center")


def _list(figure: Figure, lines: Sequence[DecisionLine]) -> None:
    top = 0.02 + _LINE_HEIGHT * (max(1, len(lines)) - 1)
    if not lines:
        figure.text(_LEFT, top, "The number of replicas was never changed.", fontsize=12.5, va="center")
    for row, line in enumerate(lines):
        height = top - row * _LINE_HEIGHT
        number, time, change, text = _COLUMNS
        figure.text(number, height, line.number, fontsize=12.5, va="center", ha="center", weight="bold")
        figure.text(time, height, line.time, fontsize=12.5, va="center")
        figure.text(change, height, line.change, fontsize=12.5, va="center")
        figure.text(text, height, line.text, fontsize=12.5, va="center")


def _span(moments: Sequence[Moment]) -> tuple[float, float]:
    if not moments:
        return 0.0, 60.0
    first = moments[0].seconds
    return first, max(moments[-1].seconds, first + 10)


def _tick(seconds: float) -> float:
    return next(step for step in (5.0, 10.0, 30.0, 60.0, 300.0, seconds) if seconds / step <= 14)


def _stretches(moments: Sequence[Moment]) -> Iterator[tuple[Phase, float, float]]:
    begins = [(phase, next(group).seconds) for phase, group in groupby(moments, key=lambda each: each.phase)]
    ends = [begin for _, begin in begins[1:]] + [moment.seconds for moment in moments[-1:]]
    for (phase, begin), end in zip(begins, ends, strict=True):
        yield phase, begin, end


def _shade(panel: Axes, moments: Sequence[Moment]) -> None:
    for number, (_, begin, end) in enumerate(_stretches(moments)):
        panel.axvspan(begin, end, color=_SHADES[number % 2], linewidth=0, zorder=0)


def _name_phases(panel: Axes, moments: Sequence[Moment]) -> None:
    left, right = panel.get_xlim()
    free = left
    for phase, begin, end in _stretches(moments):
        # Too short for its long name, which would push the others away from their places.
        if phase is Phase.PREPARATION:
            continue
        width = (len(phase) + 1) * _LETTER * (right - left)
        middle = max(min((begin + end) / 2, right - width / 2), free + width / 2)
        free = middle + width / 2
        panel.text(
            middle, 1.02, phase, transform=panel.get_xaxis_transform(), ha="center", va="bottom", color=GREY,
            fontsize=12.5, style="italic",
        )  # fmt: skip
