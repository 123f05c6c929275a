"""What a `MetricsSource` makes of a Prometheus that scrapes a lag exporter and two consumers of two groups."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import nan

import pytest

from doorbuster_operator.model.samples import Partition, Series
from doorbuster_operator.ports import MetricsSource

NAMESPACE = "test"
GROUP, TOPIC = "stock.group", "order-created"
# Both would be selected by a pattern that isn't escaped, or isn't bound to its ends.
OTHER_GROUP, OTHER_TOPIC = "stock-group", "order-created-2"
RATE = 10.0
FIRST_END = 1_000.0
SCRAPE_TIMEOUT_SECONDS = 5.0

Value = Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """A series that a pod exposes.

    Attributes:
        labels: its own, besides those that Prometheus adds.
        value: at a time in seconds since 1970.
    """

    name: str
    pod: str
    labels: Mapping[str, str]
    value: Value
    namespace: str = NAMESPACE

    @property
    def all_labels(self) -> Mapping[str, str]:
        """As Prometheus stores them."""
        added = {"namespace": self.namespace, "pod": self.pod, "component": "c", "release": "apps", "job": "pods"}
        return {"__name__": self.name, **self.labels, **added}


def exposed_series(start: float) -> Sequence[Exposed]:
    """Return everything that is exposed; counters grow from `start` on."""
    return [
        *_of_exporter(lambda at: FIRST_END + RATE * (at - start), group=GROUP, topic=TOPIC),
        *_of_exporter(lambda _: 7.0, group=OTHER_GROUP, topic=OTHER_TOPIC),
        # The same names in another namespace are another platform.
        *_of_exporter(lambda _: 13.0, group=GROUP, topic=TOPIC, namespace="other", pod="lag-exporter-elsewhere"),
        *_of_consumer("stock-a", GROUP, TOPIC, start),
        *_of_consumer("coupon-a", OTHER_GROUP, OTHER_TOPIC, start),
    ]


def _of_exporter(
    end: Value, *, group: str, topic: str, namespace: str = NAMESPACE, pod: str = "lag-exporter"
) -> Sequence[Exposed]:
    def exposed(name: str, value: Value, **labels: str) -> Exposed:
        return Exposed(name=name, pod=pod, namespace=namespace, labels=labels, value=value)

    partition = {"topic": topic, "partition": "3"}
    return [
        exposed("kafka_topic_partition_current_offset", end, **partition),
        exposed("kafka_topic_partition_oldest_offset", lambda _: 5.0, **partition),
        exposed("kafka_consumergroup_current_offset", lambda at: end(at) - 100, consumergroup=group, **partition),
        exposed("kafka_consumergroup_lag", lambda _: 100.0, consumergroup=group, **partition),
        exposed("kafka_consumergroup_members", lambda _: 2.0, consumergroup=group),
    ]


def _of_consumer(pod: str, group: str, topic: str, start: float) -> Sequence[Exposed]:
    def exposed(name: str, value: Value, **labels: str) -> Exposed:
        return Exposed(name=name, pod=pod, labels={"group": group, **labels}, value=value)

    return [
        exposed("consumer_batches_total", lambda at: at - start),
        exposed("consumer_records_total", lambda at: 6 * (at - start), result="done"),
        exposed("consumer_records_total", lambda at: 4 * (at - start), result="duplicate"),
        exposed("consumer_busy_seconds_total", lambda at: 0.5 * (at - start)),
        exposed("consumer_batch_limit", lambda _: 200.0),
        exposed("consumer_rebalances_total", lambda _: 2.0, kind="assigned"),
        exposed("consumer_rebalances_total", lambda _: 1.0, kind="revoked"),
        exposed("consumer_assigned", lambda _: 1.0, topic=topic, partition="3"),
        exposed("consumer_oldest_record_age_seconds", lambda _: nan),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A source over such a Prometheus, which has scraped it at least three times.

    Attributes:
        start: of the counters, in seconds since 1970.
        scrape_seconds: between two scrapes.
    """

    start: float
    metrics: MetricsSource
    scrape_seconds: float


class MetricsSourceContract:
    """Derive from this class with a fixture `scene`."""

    @pytest.fixture
    @abstractmethod
    def scene(self) -> Scene:
        """What the tests look at."""

    def test_samples_come_with_their_own_times(self, scene: Scene) -> None:
        ends = scene.metrics.group_samples(GROUP, [TOPIC]).ends[Partition(TOPIC, 3)]

        assert len(ends) >= 3
        for earlier, later in pairwise(ends):
            assert later.at - earlier.at > scene.scrape_seconds / 2
        for sample in ends:
            exposed_at = scene.start + (sample.value - FIRST_END) / RATE
            # The page is made while it is being scraped; a busy machine takes its time for that.
            assert -0.01 <= exposed_at - sample.at <= SCRAPE_TIMEOUT_SECONDS

    def test_offsets_are_those_of_the_group_and_its_topics(self, scene: Scene) -> None:
        samples = scene.metrics.group_samples(GROUP, [TOPIC])

        place = Partition(TOPIC, 3)
        assert set(samples.ends) == set(samples.oldest) == set(samples.committed) == {place}
        assert _values(samples.oldest[place]) == {5.0}
        assert _values(samples.members) == {2.0}
        for end, committed in zip(samples.ends[place], samples.committed[place], strict=True):
            assert end.at == committed.at
            assert end.value - committed.value == pytest.approx(100, abs=0.001)

    def test_consumers_are_those_of_the_group(self, scene: Scene) -> None:
        samples = scene.metrics.group_samples(GROUP, [TOPIC])

        assert set(samples.pods) == {"stock-a"}
        pod = samples.pods["stock-a"]
        assert _values(pod.batch_limit) == {200.0}
        assert _values(pod.assigned[Partition(TOPIC, 3)]) == {1.0}
        assert len(pod.busy_seconds) == len(pod.batches) >= 3

    def test_records_of_all_results_and_rebalances_of_all_kinds_are_added_up(self, scene: Scene) -> None:
        pod = scene.metrics.group_samples(GROUP, [TOPIC]).pods["stock-a"]

        assert _values(pod.rebalances) == {3.0}
        for batches, records in zip(pod.batches, pod.records, strict=True):
            assert records.value == pytest.approx(10 * batches.value, abs=0.01)

    def test_several_topics_can_be_asked_for(self, scene: Scene) -> None:
        samples = scene.metrics.group_samples(OTHER_GROUP, [TOPIC, OTHER_TOPIC])

        assert set(samples.ends) == {Partition(TOPIC, 3), Partition(OTHER_TOPIC, 3)}
        assert set(samples.committed) == {Partition(OTHER_TOPIC, 3)}
        assert set(samples.pods) == {"coupon-a"}

    def test_a_group_that_nobody_knows_has_no_samples(self, scene: Scene) -> None:
        samples = scene.metrics.group_samples('no"such\\group', ["nothing+"])

        assert not samples.ends
        assert not samples.members
        assert not samples.pods


def _values(series: Series) -> set[float]:
    return {sample.value for sample in series}
