"""How records come into a group's topics and leave them: rates, lag, backlog and age, from raw samples (P17)."""

from collections.abc import Collection, Mapping
from itertools import pairwise
from math import sqrt

from doorbuster_operator.decisions.freshness import places_of, what_is_missing
from doorbuster_operator.decisions.membership import assigned_partitions, live_pods, members_of, rebalanced_at
from doorbuster_operator.decisions.readings import PartitionReadings, reading_times, readings_of
from doorbuster_operator.decisions.series import rate, since_fall, until
from doorbuster_operator.model.flow import Flow, Missing, PartitionFlow
from doorbuster_operator.model.samples import GroupSamples, Partition
from doorbuster_operator.model.spec import ScalerSpec

STABLE_SECONDS = 20.0
FAST_SECONDS = 10.0
BURST_DEVIATIONS = 3.0
"""Arrivals by chance vary by the square root of their number; more than three times that isn't chance."""
COMMIT_SLACK_SECONDS = 2.0
"""On top of the commit interval: a batch in work, and the time between the reading of commits and of ends."""


def measure_flow(
    samples: GroupSamples, spec: ScalerSpec, *, now: float, scrape_seconds: float, may_be_new: bool = False
) -> Flow | Missing:
    """Return how records flow, or what isn't known so that nothing may be concluded.

    Rates, lag and age are as of the last reading of Kafka, up to three scrapes ago, not as of `now`: nobody knows
    what was committed since, and a group that works would look late by the time between two readings.

    Args:
        samples: of the group's last five minutes.
        spec: for the topics and the commit interval.
        now: in seconds since 1970.
        scrape_seconds: time between two samples of a series.
        may_be_new: nobody can be in the group, so Kafka may not know it yet.
    """
    missing = what_is_missing(samples, spec, now=now, scrape_seconds=scrape_seconds, may_be_new=may_be_new)
    if missing:
        return missing
    readings = _readings(samples, spec, scrape_seconds=scrape_seconds)
    if isinstance(readings, Missing):
        return readings
    live = live_pods(samples.pods, now=now, scrape_seconds=scrape_seconds)
    assigned = assigned_partitions(live, scrape_seconds=scrape_seconds) & readings.keys()
    in_flight = spec.commit_interval + COMMIT_SLACK_SECONDS
    partitions = {place: _partition_flow(each, in_flight_seconds=in_flight) for place, each in readings.items()}
    since = min(each.ends[0].at for each in readings.values())
    return Flow(
        partitions=partitions,
        burst=_is_burst(partitions.values()),
        members=members_of(samples, now=now, scrape_seconds=scrape_seconds),
        assigned=len(assigned) if live else None,
        rebalanced_at=rebalanced_at(samples, since=since, scrape_seconds=scrape_seconds),
        seconds=min(each.at - each.ends[0].at for each in readings.values()),
    )


def _readings(
    samples: GroupSamples, spec: ScalerSpec, *, scrape_seconds: float
) -> Mapping[Partition, PartitionReadings] | Missing:
    times = reading_times(samples, scrape_seconds=scrape_seconds)
    readings: dict[Partition, PartitionReadings] = {}
    for place in places_of(samples, spec):
        known = readings_of(samples, place, times)
        if known is None or len(since_fall(known.ends)) < 2:
            return Missing(why=f"not known: the rate of {place.topic}/{place.number}, whose end was read only once yet")
        readings[place] = known
    return readings


def _partition_flow(readings: PartitionReadings, *, in_flight_seconds: float) -> PartitionFlow:
    ends = since_fall(readings.ends)
    arrivals = rate(ends, STABLE_SECONDS)
    return PartitionFlow(
        rate=arrivals,
        fast_rate=rate(ends, FAST_SECONDS),
        committed_rate=rate(since_fall(readings.committed), STABLE_SECONDS),
        lag=readings.lag,
        backlog=max(0.0, readings.lag - arrivals * in_flight_seconds),
        age=_age(readings) if readings.lag else 0.0,
        still_seconds=_still_seconds(readings) if readings.lag else 0.0,
    )


def _is_burst(partitions: Collection[PartitionFlow]) -> bool:
    stable = sum(each.rate for each in partitions)
    fast = sum(each.fast_rate for each in partitions)
    return fast - stable > BURST_DEVIATIONS * sqrt(stable / FAST_SECONDS)


def _age(readings: PartitionReadings) -> float:
    """Return how long the next record has been waiting at the last reading; at least the history, if it is older.

    Of the n records that came between two readings, the k-th counts as come after k/(n + 1) of the time: no record
    comes at the very moment of a reading, and a lone one was on average there for half of the time.
    """
    ends = since_fall(readings.ends)
    position = readings.position_at(readings.at)
    for earlier, later in reversed(tuple(pairwise(ends))):
        if earlier.value <= position < later.value:
            share = (position - earlier.value + 1) / (later.value - earlier.value + 1)
            return readings.at - (earlier.at + share * (later.at - earlier.at))
    return readings.at - ends[0].at


def _still_seconds(readings: PartitionReadings) -> float:
    """Return how long the committed offset has been where it is with a record behind it.

    Who has the partition doesn't matter: a rebalance doesn't make a stuck record another one.
    """
    committed = readings.committed[-1].value if readings.committed else None
    since = readings.at
    for at, end in reversed(readings.ends):
        before = until(readings.committed, at)
        if (before[-1].value if before else None) != committed or end - readings.position_at(at) < 1:
            break
        since = at
    return readings.at - since
