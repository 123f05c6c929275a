"""What Prometheus holds about a consumer group: raw samples with their own time stamps (P17)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


class Sample(NamedTuple):
    """A value as it was scraped; `at` in seconds since 1970."""

    at: float
    value: float


Series = tuple[Sample, ...]
"""Samples of one series, oldest first; empty when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSamples:
    """What one consumer says about its work (P18): counters since its start, and gauges.

    Attributes:
        batches: committed batches, a counter.
        records: records of committed batches, whatever became of them, a counter.
        busy_seconds: time spent on batches, a counter.
        batch_limit: most records in a batch.
        rebalances: assignments and revocations, a counter.
        assigned: 1 for each partition that it has, 0 for one that it has given up.
    """

    batches: Series = ()
    records: Series = ()
    busy_seconds: Series = ()
    batch_limit: Series = ()
    rebalances: Series = ()
    assigned: Mapping[Partition, Series]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSamples:
    """Everything about a group in the last five minutes.

    Attributes:
        ends: log end offset, by partition of the group's topics.
        oldest: oldest offset that is kept, by partition.
        committed: committed offset, by partition; none where the group never committed.
        members: members of the group.
        pods: what each consumer says, by the pod's name; pods that are gone are among them.
        reading_ages: how old the lag exporter's reading of Kafka was at each scrape, in seconds
            (`kafka_exporter_sample_age_seconds`). It tells two scrapes of one reading from a group at rest, and when
            an offset was read. Empty when nobody says.
    """

    ends: Mapping[Partition, Series]
    oldest: Mapping[Partition, Series]
    committed: Mapping[Partition, Series]
    members: Series
    pods: Mapping[str, PodSamples]
    reading_ages: Series = ()
