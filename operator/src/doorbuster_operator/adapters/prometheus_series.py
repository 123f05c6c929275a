"""Prometheus' answer as samples of a group: sorted by metric, partition and pod; series of one thing merged."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TypedDict

from doorbuster_operator.model.samples import GroupSamples, Partition, PodSamples, Sample, Series


class Found(TypedDict):
    """One series of an answer."""

    metric: Mapping[str, str]
    values: Sequence[tuple[float, str]]


Parts = list[Series]
ByPartition = defaultdict[Partition, Parts]


def _by_partition() -> ByPartition:
    return defaultdict(list)


@dataclass(slots=True, kw_only=True)
class _Group:
    """Series by what they are about; several where a metric has more labels, or was scraped from several pods."""

    ends: ByPartition = field(default_factory=_by_partition)
    oldest: ByPartition = field(default_factory=_by_partition)
    committed: ByPartition = field(default_factory=_by_partition)
    members: Parts = field(default_factory=list)
    reading_ages: Parts = field(default_factory=list)
    pods: defaultdict[str, "_Pod"] = field(default_factory=lambda: defaultdict(_Pod))


@dataclass(slots=True, kw_only=True)
class _Pod:
    counters: defaultdict[str, Parts] = field(default_factory=lambda: defaultdict(list))
    assigned: ByPartition = field(default_factory=_by_partition)


# Metrics of a consumer, and which of `PodSamples` each one is.
_OF_CONSUMERS = {
    "consumer_batches_total": "batches",
    "consumer_records_total": "records",
    "consumer_busy_seconds_total": "busy_seconds",
    "consumer_batch_limit": "batch_limit",
    "consumer_rebalances_total": "rebalances",
}


def group_samples_in(found: Iterable[Found]) -> GroupSamples:
    """Return the samples of an answer.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it isn't the answer to a query for ranges.
    """
    group = _Group()
    for each in found:
        _sort_in(group, each["metric"], _samples(each["values"]))
    return GroupSamples(
        ends=_taken_over_everywhere(group.ends),
        oldest=_taken_over_everywhere(group.oldest),
        committed=_taken_over_everywhere(group.committed),
        members=taken_over(group.members),
        reading_ages=taken_over(group.reading_ages),
        pods={name: _pod_samples(pod) for name, pod in group.pods.items()},
    )


def _samples(values: Sequence[tuple[float, str]]) -> Series:
    """Return the samples that are numbers."""
    return tuple(Sample(at, value) for at, text in values if isfinite(value := float(text)))


def _sort_in(group: _Group, labels: Mapping[str, str], series: Series) -> None:
    match labels["__name__"]:
        case "kafka_topic_partition_current_offset":
            group.ends[_place(labels)].append(series)
        case "kafka_topic_partition_oldest_offset":
            group.oldest[_place(labels)].append(series)
        case "kafka_consumergroup_current_offset":
            group.committed[_place(labels)].append(series)
        case "kafka_consumergroup_members":
            group.members.append(series)
        case "kafka_exporter_sample_age_seconds":
            group.reading_ages.append(series)
        case "consumer_assigned":
            group.pods[labels["pod"]].assigned[_place(labels)].append(series)
        case name:
            group.pods[labels["pod"]].counters[_OF_CONSUMERS[name]].append(series)


def _place(labels: Mapping[str, str]) -> Partition:
    return Partition(labels["topic"], int(labels["partition"]))


def _pod_samples(pod: _Pod) -> PodSamples:
    return PodSamples(
        **{name: summed(parts) for name, parts in pod.counters.items()},
        assigned={place: taken_over(parts) for place, parts in pod.assigned.items()},
    )


def _taken_over_everywhere(parts: ByPartition) -> Mapping[Partition, Series]:
    return {place: taken_over(each) for place, each in parts.items()}


def taken_over(parts: Sequence[Series]) -> Series:
    """Return one series of several about the same thing, as two exporters write while one is rolled out.

    Between its first and its last sample a series replaces all that began before it. Taking both would go back and
    forth between their readings, which are of different ages.
    """
    merged: Series = ()
    for newer in sorted(filter(None, parts), key=lambda series: series[0].at):
        begin, end = newer[0].at, newer[-1].at
        before = tuple(sample for sample in merged if sample.at < begin)
        after = tuple(sample for sample in merged if sample.at > end)
        merged = (*before, *newer, *after)
    return merged


def summed(parts: Sequence[Series]) -> Series:
    """Return the sum of a pod's series that differ in a label; they are scraped together, so their times are equal."""
    if len(parts) == 1:
        return parts[0]
    sums: defaultdict[float, float] = defaultdict(float)
    for series in parts:
        for at, value in series:
            sums[at] += value
    return tuple(Sample(at, sums[at]) for at in sorted(sums))
