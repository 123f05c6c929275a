"""How many records arrive, over time."""

import math
from collections.abc import Callable
from itertools import pairwise
from random import Random

Traffic = Callable[[float], float]
"""Records a second, in total, at a time in seconds since the world began."""


def constant(rate: float) -> Traffic:
    return lambda _: rate


def through(*points: tuple[float, float]) -> Traffic:
    """Return straight lines through these points of (seconds, records a second); before and after them it is level."""

    def rate(at: float) -> float:
        if at <= points[0][0]:
            return points[0][1]
        for (begin, low), (end, high) in pairwise(points):
            if at < end:
                return low + (high - low) * (at - begin) / (end - begin)
        return points[-1][1]

    return rate


def steps(*points: tuple[float, float]) -> Traffic:
    """Return a rate that jumps at these points of (seconds, records a second); 0 before the first."""

    def rate(at: float) -> float:
        return next((level for begin, level in reversed(points) if at >= begin), 0.0)

    return rate


# The documents' order test: 0 -> 20 -> 50 -> 100 -> 0 records/s and a quiet quarter of an hour (research, 5.1).
RAMP = through((0, 0), (60, 20), (180, 50), (300, 100), (540, 100), (600, 0))
RAMP_SECONDS = 1_500.0
STEP = steps((180, 20), (360, 50), (540, 100), (720, 0))
STEP_SECONDS = 1_470.0


def chance_count(expected: float, chance: Random) -> int:
    """Return a Poisson number."""
    if expected > 30:
        return max(0, round(chance.gauss(expected, math.sqrt(expected))))
    bound, product, count = math.exp(-expected), chance.random(), 0
    while product > bound:
        product *= chance.random()
        count += 1
    return count
