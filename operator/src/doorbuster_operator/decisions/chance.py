"""What chance does to measured rates: n records are counted as n, give or take √n.

Without this, the replica that happens to have the fullest partitions would be sized for, and at a constant load one
more would come and go: seen in the simulation of a load of 16 records a second on three replicas.
"""

from collections import defaultdict
from collections.abc import Mapping
from math import sqrt
from statistics import fmean, variance

from doorbuster_operator.model.samples import Partition

# The variance of a dozen equal partitions is above twice the expected one in 2 % of all looks.
BY_CHANCE = 2.0
# Scaling in counts on arrivals that are so many standard deviations above the measured ones.
CAUTION = 2.0


def evened(rates: Mapping[Partition, float], window_seconds: float) -> Mapping[Partition, float]:
    """Return rates with differences between a topic's partitions only as far as chance doesn't explain them.

    The sum stays. With keys that are spread evenly all partitions of a topic become alike; where keys are skewed, the
    differences stay as they are.

    Args:
        rates: in records a second, by partition.
        window_seconds: over which they were measured.
    """
    by_topic: dict[str, list[float]] = defaultdict(list)
    for place, rate in rates.items():
        by_topic[place.topic].append(rate)
    means = {topic: fmean(each) for topic, each in by_topic.items()}
    real = {topic: _real_share(each, window_seconds) for topic, each in by_topic.items()}
    return {
        place: means[place.topic] + real[place.topic] * (rate - means[place.topic]) for place, rate in rates.items()
    }


def cautious(rates: Mapping[Partition, float], window_seconds: float) -> Mapping[Partition, float]:
    """Return rates that are so much higher that the true ones in total are hardly above them."""
    counted = sum(rates.values()) * window_seconds
    factor = 1 + CAUTION / sqrt(counted) if counted > 0 else 1.0
    return {place: rate * factor for place, rate in rates.items()}


def _real_share(rates: list[float], window_seconds: float) -> float:
    """Return which share of these rates' differences is real: from 0, all is chance, to 1."""
    if len(rates) < 2:
        return 1.0
    seen = variance(rates)
    by_chance = BY_CHANCE * fmean(rates) / window_seconds
    return max(0.0, 1 - by_chance / seen) if seen > 0 else 1.0
