"""Arithmetic on the samples of one series, by their own time stamps (P17)."""

from itertools import pairwise
from math import isfinite

from doorbuster_operator.model.samples import Sample, Series

FRESH_SCRAPES = 3
"""A sample that is older than so many scrapes says nothing about now (P17)."""


def clean(series: Series) -> Series:
    """Return the samples with a number as their value, oldest first, one for each time."""
    return tuple(Sample(at, value) for at, value in sorted(dict(series).items()) if isfinite(value))


def is_fresh(series: Series, *, now: float, scrape_seconds: float) -> bool:
    """Say whether the newest sample is of now, give or take three scrapes.

    A little in the future is tolerated, since Prometheus' clock isn't ours. Far in the future is as useless as old.
    """
    return bool(series) and abs(now - series[-1].at) <= FRESH_SCRAPES * scrape_seconds


def since_fall(series: Series) -> Series:
    """Return the samples since the value last went down: a log that was made anew, a consumer that was set back."""
    start = 0
    for index, (earlier, later) in enumerate(pairwise(series), start=1):
        if later.value < earlier.value:
            start = index
    return series[start:]


def until(series: Series, at: float) -> Series:
    """Return the samples that are not after `at`."""
    return tuple(sample for sample in series if sample.at <= at)


def value_at(series: Series, at: float) -> float:
    """Return the value at a time, interpolated; outside of the series that of its nearest sample.

    Raises:
        IndexError: there is no sample.
    """
    if at <= series[0].at:
        return series[0].value
    for earlier, later in pairwise(series):
        if at <= later.at:
            return earlier.value + (later.value - earlier.value) * (at - earlier.at) / (later.at - earlier.at)
    return series[-1].value


def rate(series: Series, window_seconds: float) -> float:
    """Return the growth a second over the window that ends with the newest sample; 0 with fewer than two samples.

    The window's begin is interpolated: it lies between two samples whenever one is missing, and taking either of them
    would be a window of another length. A shorter series is taken whole.
    """
    if len(series) < 2:
        return 0.0
    newest = series[-1]
    begin = max(series[0].at, newest.at - window_seconds)
    return (newest.value - value_at(series, begin)) / (newest.at - begin)


def changed_at(series: Series) -> tuple[float, ...]:
    """Return the times of the samples that differ from the one before."""
    return tuple(later.at for earlier, later in pairwise(series) if later.value != earlier.value)
