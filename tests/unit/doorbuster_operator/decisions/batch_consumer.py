"""A consumer whose batches cost a + b · n, and what it exports about them every 5 s (P18)."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from doorbuster_operator.model.samples import PodSamples, Sample
from tests.unit.doorbuster_operator.decisions.kafka_samples import NOW, SCRAPE

Rate = Callable[[float], float]
"""Arrivals in records a second, by seconds relative to `NOW`."""


@dataclass(kw_only=True)
class BatchConsumer:
    """Takes what waits, up to the limit, as soon as the last batch is done.

    Attributes:
        fixed: a, in seconds.
        per_record: b in seconds, by seconds relative to `NOW`.
        noise: a batch takes up to so much more or less, as a share.
    """

    fixed: float
    per_record: Rate
    limit: int
    noise: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(18))
    _batches: float = 0
    _records: float = 0
    _busy: float = 0.0
    _waiting: float = 0.0

    def run(self, rate: Rate, *, seconds: float = 300.0) -> PodSamples:
        """Work until `NOW`; return what was scraped."""
        counted: list[tuple[float, float, float, float]] = []
        at, scrape = -seconds, -seconds
        while scrape <= 0:
            took = self._batch(at)
            while scrape <= min(0.0, at + took):
                counted.append((NOW + scrape, self._batches, self._records, self._busy))
                scrape += SCRAPE
            self._finish(took)
            arrived = rate(at) * max(took, 0.001)
            self._waiting += max(0.0, self.chance.gauss(arrived, arrived**0.5))
            at += max(took, 0.001)
        return exported(counted, limit=self.limit)

    def _batch(self, at: float) -> float:
        """Return how long the next batch takes; 0 when nothing waits."""
        self._taken = min(self.limit, int(self._waiting))
        if not self._taken:
            return 0.0
        factor = 1 + self.chance.uniform(-self.noise, self.noise)
        return (self.fixed + self.per_record(at) * self._taken) * factor

    def _finish(self, took: float) -> None:
        self._waiting -= self._taken
        self._records += self._taken
        self._batches += self._taken > 0
        self._busy += took


def exported(counted: list[tuple[float, float, float, float]], *, limit: float) -> PodSamples:
    """Return samples of (time, batches, records, busy seconds)."""
    return PodSamples(
        batches=tuple(Sample(at, batches) for at, batches, _, _ in counted),
        records=tuple(Sample(at, records) for at, _, records, _ in counted),
        busy_seconds=tuple(Sample(at, busy) for at, _, _, busy in counted),
        batch_limit=tuple(Sample(at, limit) for at, *_ in counted),
        assigned={},
    )


def saga_consumer(*, noise: float = 0.0, seed: int = 18) -> BatchConsumer:
    """P18's world: 10 ms a batch and 0.05 ms a record; 500 records in 35 ms are 14,286 a second."""
    return BatchConsumer(fixed=0.010, per_record=lambda _: 0.00005, limit=500, noise=noise, chance=random.Random(seed))


def delayed_consumer(*, noise: float = 0.0, seed: int = 18) -> BatchConsumer:
    """With a fault delay (P19): 120 ms a record, so that a batch is cut to four; 8.16 a second."""
    return BatchConsumer(fixed=0.010, per_record=lambda _: 0.120, limit=4, noise=noise, chance=random.Random(seed))


def worked(*intervals: tuple[float, float, float], limit: float = 500, until: float = NOW) -> PodSamples:
    """Return a consumer that did so many (batches, records, busy seconds) in each 5 s up to a time."""
    sums = [(7.0, 70.0, 0.7)]
    for interval in intervals:
        batches, records, busy = sums[-1]
        sums.append((batches + interval[0], records + interval[1], busy + interval[2]))
    return exported([(until - SCRAPE * (len(sums) - 1 - index), *each) for index, each in enumerate(sums)], limit=limit)


def line(*sizes: float, batches: float = 10, fixed: float = 0.01, per_record: float = 0.001) -> PodSamples:
    """Return a consumer that did so many batches of each size, one size in each 5 s, at exactly a + b · n."""
    return worked(*((batches, batches * size, batches * (fixed + per_record * size)) for size in sizes))
