"""Scrapes of the lag exporter and the pods, kept for five minutes as Prometheus keeps them."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from doorbuster_operator.model.samples import GroupSamples, Partition, PodSamples, Sample, Series
from tests.unit.doorbuster_operator.simulation.consumer import Consumer
from tests.unit.doorbuster_operator.simulation.topic import Log

KEPT_SECONDS = 300.0
TOPIC = "order-created"


class Kept:
    """Samples of one series."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()

    def add(self, at: float, value: float) -> None:
        self._samples.append(Sample(at, float(value)))

    def since(self, begin: float) -> Series:
        while self._samples and self._samples[0].at < begin:
            self._samples.popleft()
        return tuple(self._samples)


@dataclass(slots=True)
class KeptPod:
    counters: dict[str, Kept] = field(default_factory=lambda: defaultdict(Kept))
    assigned: dict[Partition, Kept] = field(default_factory=lambda: defaultdict(Kept))


class Prometheus:
    """Holds what was scraped. All times in seconds since 1970."""

    def __init__(self) -> None:
        self._reading: tuple[float, list[tuple[int, int]], int] | None = None
        self._ends: dict[Partition, Kept] = defaultdict(Kept)
        self._oldest: dict[Partition, Kept] = defaultdict(Kept)
        self._committed: dict[Partition, Kept] = defaultdict(Kept)
        self._members = Kept()
        self._reading_ages = Kept()
        self._pods: dict[str, KeptPod] = defaultdict(KeptPod)

    def read_kafka(self, logs: Sequence[Log], *, members: int, at: float) -> None:
        """Let the lag exporter read; a scrape shows it."""
        self._reading = at, [(log.end, log.committed) for log in logs], members

    def scrape_exporter(self, at: float) -> None:
        if self._reading is None:
            return
        read_at, offsets, members = self._reading
        for number, (end, committed) in enumerate(offsets):
            place = Partition(TOPIC, number)
            self._ends[place].add(at, end)
            self._oldest[place].add(at, 0)
            if committed:
                self._committed[place].add(at, committed)
        self._members.add(at, members)
        self._reading_ages.add(at, at - read_at)

    def scrape_pod(self, name: str, consumer: Consumer, assigned: Sequence[int], at: float) -> None:
        kept = self._pods[name]
        for counter, value in (
            ("batches", consumer.batches),
            ("records", consumer.records),
            ("busy_seconds", consumer.busy_seconds),
            ("batch_limit", consumer.cost.limit),
            ("rebalances", consumer.rebalances),
        ):
            kept.counters[counter].add(at, value)
        for number in assigned:
            kept.assigned[Partition(TOPIC, number)].add(at, 1)

    def samples(self, now: float) -> GroupSamples:
        begin = now - KEPT_SECONDS
        pods = {name: _pod_samples(kept, begin) for name, kept in self._pods.items()}
        return GroupSamples(
            ends=_since(self._ends, begin),
            oldest=_since(self._oldest, begin),
            committed=_since(self._committed, begin),
            members=self._members.since(begin),
            pods={name: pod for name, pod in pods.items() if pod.batches},
            reading_ages=self._reading_ages.since(begin),
        )


def _since(series: dict[Partition, Kept], begin: float) -> dict[Partition, Series]:
    return {place: samples for place, kept in series.items() if (samples := kept.since(begin))}


def _pod_samples(kept: KeptPod, begin: float) -> PodSamples:
    counters = {name: series.since(begin) for name, series in kept.counters.items()}
    return PodSamples(assigned=_since(kept.assigned, begin), **counters)
