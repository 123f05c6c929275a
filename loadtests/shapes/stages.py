"""A course of arrivals: straight stages one after the other, and the exact moment of every arrival in them.

Arrivals are open: the course alone says when one comes, never how the last one went. The same course gives the same
moments in every run, so that two runs are comparable second by second.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stretch of time in which the rate goes straight from one value to another.

    Attributes:
        seconds: how long it takes, more than 0.
        start: the rate at its beginning, in arrivals a second.
        end: the rate at its end, in arrivals a second.

    Raises:
        ValueError: a stage without length, or a rate below 0.
    """

    seconds: float
    start: float
    end: float

    def __post_init__(self) -> None:
        if not (0 < self.seconds < math.inf and 0 <= self.start < math.inf and 0 <= self.end < math.inf):
            raise ValueError(f"a stage takes time and its rates are 0 or more, not {self}")

    @property
    def arrivals(self) -> float:
        """The number of arrivals in the whole stage, as a fraction."""
        return self.seconds * (self.start + self.end) / 2

    def rate_at(self, seconds: float) -> float:
        """Return the rate so many seconds after the stage's beginning."""
        return self.start + (self.end - self.start) * seconds / self.seconds

    def arrivals_until(self, seconds: float) -> float:
        """Return the number of arrivals in the stage's first seconds, as a fraction."""
        return seconds * (self.start + self.rate_at(seconds)) / 2

    def moment_of(self, arrivals: float) -> float:
        """Return after how many seconds so many arrivals have come: the inverse of `arrivals_until`."""
        if arrivals <= 0:
            return 0.0
        slope = (self.end - self.start) / self.seconds
        # This form of the quadratic's root has no difference of near values, also where the slope is 0.
        root = math.sqrt(max(0.0, self.start**2 + 2 * slope * arrivals))
        return min(self.seconds, 2 * arrivals / (self.start + root))


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Stages one after the other.

    Attributes:
        stages: at least one.

    Raises:
        ValueError: there is no stage.
    """

    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("a course has at least one stage")

    @property
    def seconds(self) -> float:
        """How long the course takes."""
        return math.fsum(stage.seconds for stage in self.stages)

    @property
    def peak(self) -> float:
        """The greatest rate, in arrivals a second."""
        return max(max(stage.start, stage.end) for stage in self.stages)

    @property
    def scheduled(self) -> int:
        """How many moments `arrival_times` gives."""
        return math.floor(self.arrivals_until(self.seconds) + 0.5)

    def rate_at(self, seconds: float) -> float:
        """Return the rate so many seconds after the course's beginning; 0 before it and from its end on."""
        began = 0.0
        for stage in self.stages:
            if began <= seconds < began + stage.seconds:
                return stage.rate_at(seconds - began)
            began += stage.seconds
        return 0.0

    def arrivals_until(self, seconds: float) -> float:
        """Return how many arrivals are due in the course's first seconds, as a fraction."""
        began, total = 0.0, 0.0
        for stage in self.stages:
            if seconds <= began:
                break
            total += stage.arrivals_until(min(seconds - began, stage.seconds))
            began += stage.seconds
        return total

    def arrival_times(self) -> Iterator[float]:
        """Yield the moment of every arrival, in seconds after the course's beginning, ascending.

        The arrival number n, counted from 0, comes when n and a half are due. So it stands in the middle of its share
        of time, and rounding can neither add nor lose one at the course's end.
        """
        began, before, number = 0.0, 0.0, 0
        scheduled = self.scheduled
        for stage in self.stages:
            until = before + stage.arrivals
            while number < scheduled and number + 0.5 <= until:
                yield began + stage.moment_of(number + 0.5 - before)
                number += 1
            began, before = began + stage.seconds, until

    def scaled(self, peak: float) -> "Course":
        """Return the course with all rates multiplied so that the greatest is `peak`.

        Raises:
            ValueError: nothing ever arrives, or the peak is not above 0.
        """
        if not 0 < peak < math.inf or self.peak == 0:
            raise ValueError(f"a course with a peak of {self.peak} can't get one of {peak}")
        factor = peak / self.peak
        return Course(stages=tuple(replace(s, start=s.start * factor, end=s.end * factor) for s in self.stages))

    def lasting(self, seconds: float) -> "Course":
        """Return the course with the same rates and all stages stretched alike, so that it takes so many seconds."""
        factor = seconds / self.seconds
        return Course(stages=tuple(replace(stage, seconds=stage.seconds * factor) for stage in self.stages))


def steady(rate: float, seconds: float) -> Course:
    """Return a course with one rate, in arrivals a second, for so many seconds."""
    return Course(stages=(Stage(seconds=seconds, start=rate, end=rate),))


# The flash sale with which the old system failed, each stage in half of its time: 300 s, 20,400 orders.
FLASH_SALE = Course(
    stages=(
        Stage(seconds=30, start=0, end=20),
        Stage(seconds=60, start=20, end=50),
        Stage(seconds=60, start=50, end=100),
        Stage(seconds=120, start=100, end=100),
        Stage(seconds=30, start=100, end=0),
    )
)
