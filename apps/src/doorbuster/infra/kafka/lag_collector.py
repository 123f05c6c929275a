"""Serves what was read from Kafka to Prometheus, in the names of kafka_exporter, and only while it is fresh (P14)."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import structlog
from confluent_kafka.admin import AdminClient
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from doorbuster.infra.kafka.groups import ConsumerGroups
from doorbuster.infra.kafka.lag import KafkaState, read_state
from doorbuster.infra.telemetry import KAFKA_EXPORTER_FAILURES, KAFKA_EXPORTER_LAST_SUCCESS, KAFKA_GAUGES
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.kernel.pausing import pause_until

TICK_SECONDS = 5.0
# One question after the other, each with its own limit; a round that takes longer is given up.
ROUND_SECONDS = 12.0
# Older samples are not served: an old lag looks like a true one.
STALE_SECONDS = 3 * TICK_SECONDS
# So many questions without an answer are named in a line of the log.
NAMED = 5

Sample = tuple[tuple[str, ...], float]

log = structlog.get_logger()


class KafkaCollector(Collector):
    """Remembers the last state of Kafka for scrapes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, stale_seconds: float = STALE_SECONDS) -> None:
        """Know nothing yet.

        Args:
            clock: seconds that only grow.
            stale_seconds: how old a state may be that is served.
        """
        self._clock = clock
        self._stale_seconds = stale_seconds
        self._state: tuple[float, KafkaState] | None = None

    def remember(self, state: KafkaState, *, read_at: float) -> None:
        """Serve this state from now on; `read_at` is the clock's time when it began to be read."""
        self._state = read_at, state

    def describe(self) -> Iterable[Metric]:
        """Return all families without samples, so that registering asks nobody."""
        return [_family(name, ()) for name in KAFKA_GAUGES]

    def collect(self) -> Iterator[Metric]:
        """Yield the samples of the last state; nothing when it is too old."""
        if self._state is None:
            return
        read_at, state = self._state
        age_seconds = self._clock() - read_at
        if age_seconds > self._stale_seconds:
            return
        samples = {**_cluster(state), **_groups(state), "kafka_exporter_sample_age_seconds": [((), age_seconds)]}
        for name, values in samples.items():
            yield _family(name, values)


async def keep_reading(
    admin: AdminClient,
    groups: ConsumerGroups,
    collector: KafkaCollector,
    *,
    stop: asyncio.Event,
    tick_seconds: float = TICK_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Read the state of Kafka every `tick_seconds` until told to stop."""
    while not stop.is_set():
        started = clock()
        await _read_once(admin, groups, collector, started)
        await pause_until(stop, at_most_seconds=max(0.0, started + tick_seconds - clock()))


async def _read_once(admin: AdminClient, groups: ConsumerGroups, collector: KafkaCollector, started: float) -> None:
    try:
        async with asyncio.timeout(ROUND_SECONDS):
            state = await read_state(admin, groups)
    except (BrokerUnavailable, TimeoutError) as exc:
        KAFKA_EXPORTER_FAILURES.inc()
        log.warning("kafka_not_read", cause=str(exc) or type(exc).__name__)
        return
    collector.remember(state, read_at=started)
    if state.complete:
        KAFKA_EXPORTER_LAST_SUCCESS.set_to_current_time()
        return
    KAFKA_EXPORTER_FAILURES.inc()
    log.warning("kafka_read_in_part", unanswered=state.unanswered[:NAMED], more=len(state.unanswered[NAMED:]))


def _family(name: str, samples: Sequence[Sample]) -> Metric:
    documentation, labels = KAFKA_GAUGES[name]
    family = GaugeMetricFamily(name, documentation, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _cluster(state: KafkaState) -> Mapping[str, Sequence[Sample]]:
    samples: defaultdict[str, list[Sample]] = defaultdict(list)
    samples["kafka_brokers"].append(((), state.brokers))
    for topic, count in Counter(topic for topic, _ in state.partitions).items():
        samples["kafka_topic_partitions"].append(((topic,), count))
    for (topic, number), partition in state.partitions.items():
        place = (topic, str(number))
        known = {
            "current_offset": partition.end,
            "oldest_offset": partition.oldest,
            "leader": partition.leader,
            "replicas": partition.replicas,
            "in_sync_replica": partition.in_sync,
            "under_replicated_partition": int(partition.in_sync < partition.replicas),
        }
        for name, value in known.items():
            if value is not None:
                samples[f"kafka_topic_partition_{name}"].append((place, value))
    return samples


def _groups(state: KafkaState) -> Mapping[str, Sequence[Sample]]:
    samples: defaultdict[str, list[Sample]] = defaultdict(list)
    for name, group in state.groups.items():
        samples["kafka_consumergroup_members"].append(((name,), group.members))
        for what, values in (("current_offset", group.committed), ("lag", group.lag)):
            sums: Counter[str] = Counter()
            for (topic, number), value in sorted(values.items()):
                samples[f"kafka_consumergroup_{what}"].append(((name, topic, str(number)), value))
                sums[topic] += value
            samples[f"kafka_consumergroup_{what}_sum"].extend(((name, topic), total) for topic, total in sums.items())
    return samples
