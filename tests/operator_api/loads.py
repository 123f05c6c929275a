"""How much a consumer group has to do, as series of the lag exporter and of the consumers' own metrics."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.operator_api.fake_prometheus import Series, Value

# When all of it began, long before the five minutes that Prometheus is asked for: no counter is below zero.
BEGINNING = time.time() - 3600


def rising(rate: float, *, less: float = 0.0) -> Value:
    """What counts `rate` a second, `less` so many."""
    return lambda at: max(0.0, rate * (at - BEGINNING) - less)


def always(value: float) -> Value:
    """What doesn't change."""
    return lambda _at: value


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A group whose records come and go evenly for as long as Prometheus remembers.

    Attributes:
        rate: records a second into all partitions.
        lag: records that wait, in all partitions.
        partitions: of the topic.
        members: consumers in the group.
        until: no sample is younger, in seconds since 1970; None for scrapes that go on.
    """

    namespace: str
    group: str
    topic: str
    rate: float
    lag: float
    partitions: int = 12
    members: int = 1
    until: float | None = None

    def series(self) -> list[Series]:
        """Return what the lag exporter says."""
        members = self._series("kafka_consumergroup_members", always(self.members), group=True)
        return [*self._offsets(), members, self._series("kafka_exporter_sample_age_seconds", always(1.0))]

    def _offsets(self) -> Iterator[Series]:
        share = self.rate / self.partitions
        waiting = self.lag / self.partitions
        for partition in range(self.partitions):
            end, committed = rising(share), rising(share, less=waiting)
            yield self._series("kafka_topic_partition_current_offset", end, partition=partition)
            yield self._series("kafka_topic_partition_oldest_offset", always(0), partition=partition)
            yield self._series("kafka_consumergroup_current_offset", committed, partition=partition, group=True)
            yield self._series("kafka_consumergroup_lag", always(waiting), partition=partition, group=True)

    def _series(self, name: str, value: Value, *, partition: int | None = None, group: bool = False) -> Series:
        labels = {"__name__": name, "job": "pods", "namespace": self.namespace, "pod": "apps-lag-exporter-0"}
        if partition is not None:
            labels |= {"topic": self.topic, "partition": str(partition)}
        if group:
            labels["consumergroup"] = self.group
        return Series(labels=labels, value=self._until(value))

    def _until(self, value: Value) -> Value:
        return lambda at: value(at) if self.until is None or at <= self.until else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumers:
    """Consumers that share the partitions of a topic evenly, and how busy they are.

    Attributes:
        pods: their names.
        rate: records a second, of all of them.
        seconds_per_record: service time.
        batch_limit: most records in a batch; every batch has so many.
    """

    namespace: str
    group: str
    topic: str
    pods: Sequence[str]
    rate: float
    seconds_per_record: float
    batch_limit: int = 50
    partitions: int = 12

    def series(self) -> list[Series]:
        """Return what they say themselves."""
        return [series for index in range(len(self.pods)) for series in self._of(index)]

    def _of(self, index: int) -> Iterator[Series]:
        share = self.rate / len(self.pods)
        counters = {
            "consumer_records_total": share,
            "consumer_batches_total": share / self.batch_limit,
            "consumer_busy_seconds_total": min(1.0, share * self.seconds_per_record),
        }
        for name, rate in counters.items():
            extra = {"result": "applied"} if name == "consumer_records_total" else {}
            yield self._series(index, name, rising(rate), **extra)
        yield self._series(index, "consumer_batch_limit", always(self.batch_limit))
        yield self._series(index, "consumer_rebalances_total", always(1.0), kind="assigned")
        for partition in range(index, self.partitions, len(self.pods)):
            place = {"topic": self.topic, "partition": str(partition)}
            yield self._series(index, "consumer_assigned", always(1.0), **place)

    def _series(self, index: int, name: str, value: Value, **labels: str) -> Series:
        own = {"__name__": name, "group": self.group, "pod": self.pods[index], "namespace": self.namespace}
        return Series(labels={**own, "job": "pods", **labels}, value=value)
