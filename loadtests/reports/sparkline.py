"""The last minutes of one figure as a line of small bars."""

from collections.abc import Callable, Sequence
from typing import Final

from loadtests.reports.timeline import Moment

Look = Callable[[Moment], float | None]
"""Takes one figure out of a moment; None when it isn't known."""
_BARS: Final = "▁▂▃▄▅▆▇█"
UNKNOWN: Final = "·"


def sparkline(
    moments: Sequence[Moment], look: Look, *, seconds: float, columns: int, least: float
) -> tuple[str, float | None]:
    """Return a bar a column, the newest at the right, and the highest value; None when nothing is known.

    Each bar is the highest value of its time. A full bar stands for the highest of all, and for no less than `least`.
    Times without a known value are a dot, and times before the first moment are blank.
    """
    if not moments:
        return " " * columns, None
    end, each = moments[-1].seconds, seconds / columns
    highest: list[float | None] = [None] * columns
    for moment in moments:
        column = columns - 1 - int((end - moment.seconds) / each)
        value = look(moment)
        if column >= 0 and value is not None:
            highest[column] = max(value, highest[column] or 0.0)
    first = columns - 1 - int((end - moments[0].seconds) / each)
    most = max((value for value in highest if value is not None), default=None)
    full = max(least, most or 0.0)
    bars = [_bar(value, full) if column >= first else " " for column, value in enumerate(highest)]
    return "".join(bars), most


def _bar(value: float | None, full: float) -> str:
    top = len(_BARS) - 1
    return UNKNOWN if value is None else _BARS[min(top, round(value / full * top))]
