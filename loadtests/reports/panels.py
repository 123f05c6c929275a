"""The four panels of the picture: each draws one question's answer over the run's time."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import Final, TypedDict

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from loadtests.reports.decisions import Decision
from loadtests.reports.timeline import Moment, Phase
from loadtests.reports.verdict import OLDEST_AGE_SECONDS, PROMISED_AGE_SECONDS


class _LegendForm(TypedDict):
    """How each panel's legend looks."""

    frameon: bool
    borderaxespad: float
    handlelength: float
    columnspacing: float


# Okabe and Ito's colours: they differ also for eyes that don't tell red from green.
BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
GREEN: Final = "#009E73"
VERMILION: Final = "#D55E00"
GREY: Final = "#6B6B6B"
# Orders come and go in batches; over this time they are a rate.
MEAN_SECONDS: Final = 5.0
# Over so long a time Prometheus is asked for the rates of what became of them: they come that much later.
RATE_SECONDS: Final = 20.0
# Of the panel's height, above the highest value: room for the legend.
HEADROOM: Final = 1.3
LINE: Final = 2.2
THIN: Final = 1.6
BADGE_POINTS: Final = 11.5

_LEGEND: Final = _LegendForm(frameon=False, borderaxespad=0.1, handlelength=1.8, columnspacing=1.4)
Look = Callable[[Moment], float | None]


def draw_orders(axes: Axes, moments: Sequence[Moment]) -> None:
    """Draw orders a second: what the course asks for, what was accepted, and how it ended."""
    seconds = [each.seconds for each in moments]
    course = _values(moments, lambda each: each.scheduled_per_s)
    axes.plot(seconds, course, color=GREY, linewidth=THIN, linestyle=(0, (4, 2)), label="scheduled")
    lines: tuple[tuple[str, str, Look], ...] = (
        (f"accepted ({MEAN_SECONDS:.0f} s mean)", BLUE, lambda each: each.accepted_per_s),
        (f"paid ({RATE_SECONDS:.0f} s mean)", GREEN, lambda each: each.paid_per_s),
        (f"failed ({RATE_SECONDS:.0f} s mean)", VERMILION, lambda each: each.failed_per_s),
    )
    for label, color, look in lines:
        axes.plot(seconds, smoothed(seconds, _values(moments, look)), color=color, linewidth=LINE, label=label)
    # What waited is worked off much faster afterwards; that would make the rest of the panel flat.
    judged = [each for each in moments if each.phase is not Phase.RECOVERY]
    _finish(axes, "orders/s", [look for _, _, look in lines], judged, least=10)


def draw_backlog(axes: Axes, moments: Sequence[Moment]) -> None:
    """Draw the lag of the stock group and the orders that are open: neither final nor, when FAILED, compensated."""
    seconds = [each.seconds for each in moments]
    looks: tuple[Look, Look] = (lambda each: each.pending, lambda each: each.lag)
    pending, lag = (_values(moments, look) for look in looks)
    # The two often lie upon each other: the wide one stays visible below the narrow one.
    axes.plot(seconds, pending, color=ORANGE, linewidth=2.2 * LINE, label="open orders")
    axes.plot(seconds, lag, color=BLUE, linewidth=THIN, label="lag of stock (records)")
    _finish(axes, "waiting", looks, moments, least=100)
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:,.0f}")


def draw_age(axes: Axes, moments: Sequence[Moment]) -> None:
    """Draw how long the oldest record waits, beside what is promised and what is allowed."""
    seconds = [each.seconds for each in moments]
    look: Look = lambda each: each.oldest_age_s  # noqa: E731 # a name for it is shorter than a function
    axes.plot(seconds, _values(moments, look), color=BLUE, linewidth=LINE, label="oldest record age of stock")
    promise, limit = PROMISED_AGE_SECONDS, OLDEST_AGE_SECONDS
    axes.axhline(promise, color=GREY, linewidth=THIN, linestyle=(0, (4, 2)), label=f"promise {promise:.0f} s")
    axes.axhline(limit, color=VERMILION, linewidth=THIN, linestyle=(0, (1, 1)), label=f"limit {limit:.0f} s")
    _finish(axes, "seconds", (look,), moments, least=limit)


def draw_replicas(axes: Axes, moments: Sequence[Moment], decisions: Sequence[Decision]) -> None:
    """Draw replicas as steps, and each decision as a numbered mark above its moment."""
    seconds = [each.seconds for each in moments]
    looks: tuple[Look, Look] = (lambda each: each.ready, lambda each: each.desired)
    ready, desired = (_values(moments, look) for look in looks)
    axes.fill_between(seconds, ready, step="post", color=BLUE, alpha=0.18, linewidth=0)
    axes.step(seconds, ready, where="post", color=BLUE, linewidth=LINE, label="ready")
    axes.step(seconds, desired, where="post", color=ORANGE, linewidth=THIN, linestyle=(0, (4, 2)), label="desired")
    _finish(axes, "replicas of stock", looks, moments, least=4)
    # Below the marks; so far to the left there is one replica.
    axes.legend(loc="upper left", bbox_to_anchor=(0, 0.82), ncols=2, **_LEGEND)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    _mark(axes, decisions)


def smoothed(seconds: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return for each moment the mean of the known values around it; NaN where its own isn't known."""
    return [
        math.nan if math.isnan(value) else _mean(values[_around(seconds, at)])
        for at, value in zip(seconds, values, strict=True)
    ]


def _around(seconds: Sequence[float], at: float) -> slice:
    half = MEAN_SECONDS / 2
    return slice(bisect_left(seconds, at - half), bisect_right(seconds, at + half))


def _mean(values: Sequence[float]) -> float:
    return fmean(value for value in values if not math.isnan(value))


def spread(places: Iterable[float], *, apart: float) -> list[float]:
    """Return the places in their order, later ones moved to the right until they are that far apart."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + apart) if found else place)
    return found


def _mark(axes: Axes, decisions: Sequence[Decision]) -> None:
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    lane = low + 0.9 * (high - low)
    badges = spread((each.seconds for each in decisions), apart=0.017 * (right - left))
    for number, (decision, badge) in enumerate(zip(decisions, badges, strict=True), start=1):
        axes.plot(
            [decision.seconds, decision.seconds, badge], [decision.after, lane - 0.08 * (high - low), lane],
            color=GREY, linewidth=0.9, zorder=2.5,
        )  # fmt: skip
        axes.text(
            badge, lane, str(number), ha="center", va="center", color="white", fontsize=BADGE_POINTS, weight="bold",
            bbox={"boxstyle": "circle,pad=0.22", "facecolor": "#333333", "edgecolor": "white"}, zorder=5,
        )  # fmt: skip


def _values(moments: Sequence[Moment], look: Look) -> list[float]:
    # NaN is a gap in the line.
    return [math.nan if (value := look(each)) is None else float(value) for each in moments]


def _finish(axes: Axes, unit: str, looks: Iterable[Look], moments: Sequence[Moment], *, least: float) -> None:
    known = (value for look in looks for value in _values(moments, look) if not math.isnan(value))
    axes.set_ylim(0, max([least, *known]) * HEADROOM)
    axes.set_ylabel(unit)
    axes.grid(visible=True, axis="y", color="#D9D9D9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=3)
    axes.legend(loc="upper left", ncols=4, **_LEGEND)
