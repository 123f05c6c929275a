"""What a batch costs, a + b · n seconds for n records, fitted to what consumers counted (P18)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

OUT_OF_THE_ORDINARY = 2.0
"""A batch that took longer than so many times what is ordinary waited for something: a lock, a primary."""

FEWEST_POINTS = 5
"""Fewer may lie on a line by chance, and far from it in truth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """The batches between two samples of a consumer, on average.

    Attributes:
        size: records in a batch.
        seconds: time spent on a batch.
        weight: how much this counts, above 0.
    """

    size: float
    seconds: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCost:
    """The line that fits best, with neither part below 0.

    Attributes:
        fixed: a, in seconds.
        per_record: b, in seconds.
        size: mean size of a batch, in records.
        seconds: mean time of a batch.
        spread: standard deviation of the sizes ÷ their mean.
        noise: standard error of `seconds`, in seconds; infinite with too few points to say.
    """

    fixed: float
    per_record: float
    size: float
    seconds: float
    spread: float
    noise: float

    def at(self, size: float) -> float:
        """Return what a batch of so many records costs, in seconds."""
        return self.fixed + self.per_record * size

    def error_at(self, size: float) -> float:
        """Return the standard error of `at`, in seconds: the farther from the sizes that were seen, the larger."""
        if size == self.size:
            return self.noise
        return self.noise * sqrt(1 + ((size - self.size) / (self.size * self.spread)) ** 2) if self.spread else inf


def fit_cost(seen: Sequence[Batches]) -> BatchCost:
    """Return the line through these points, by weighted least squares; there must be at least one.

    Where the free line has a negative part, the best one allowed is that with this part 0.
    """
    total = sum(each.weight for each in seen)
    size = sum(each.weight * each.size for each in seen) / total
    seconds = sum(each.weight * each.seconds for each in seen) / total
    variance = sum(each.weight * (each.size - size) ** 2 for each in seen) / total
    covariance = sum(each.weight * (each.size - size) * (each.seconds - seconds) for each in seen) / total
    per_record = max(0.0, covariance / variance) if variance else 0.0
    fixed = seconds - per_record * size
    if fixed < 0:
        fixed, per_record = 0.0, (covariance + size * seconds) / (variance + size**2)
    residual = sum(each.weight * (each.seconds - fixed - per_record * each.size) ** 2 for each in seen) / total
    # Points of little weight are worth less than a point.
    points = total**2 / sum(each.weight**2 for each in seen)
    return BatchCost(
        fixed=fixed,
        per_record=per_record,
        size=size,
        seconds=seconds,
        spread=sqrt(variance) / size,
        noise=sqrt(residual / (points - 2)) if points >= FEWEST_POINTS else inf,
    )


def ordinary(seen: Sequence[Batches]) -> Sequence[Batches]:
    """Return the batches without those that waited for something; a single one of 30 s would tilt the line.

    No batch that costs a + b · n is left out: the median time is at least a, and the median time of a record at least
    b. When everything has become so slow, that is ordinary as soon as it has half of the weight.
    """
    fixed = _median([(each.seconds, each.weight) for each in seen])
    per_record = _median([(each.seconds / each.size, each.weight) for each in seen])
    return [each for each in seen if each.seconds <= OUT_OF_THE_ORDINARY * (fixed + per_record * each.size)]


def _median(weighted: Sequence[tuple[float, float]]) -> float:
    half = sum(weight for _, weight in weighted) / 2
    below = 0.0
    for value, weight in sorted(weighted):
        below += weight
        if below >= half:
            return value
    return 0.0
