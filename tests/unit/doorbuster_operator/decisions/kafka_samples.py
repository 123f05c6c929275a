"""A group as the lag exporter shows it: read every 5 s and scraped every 5 s, by two clocks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor

from doorbuster_operator.decisions.flow import measure_flow
from doorbuster_operator.model.flow import Flow, Missing, PartitionFlow
from doorbuster_operator.model.samples import GroupSamples, Partition, PodSamples, Sample, Series
from doorbuster_operator.model.spec import ScalerSpec, TargetRef

NOW = 1_700_000_000.0
SCRAPE = 5.0
TOPIC = "order-commands"
P0, P1 = Partition(TOPIC, 0), Partition(TOPIC, 1)
SPEC = ScalerSpec(
    target_ref=TargetRef(name="apps-consumer-orders"), consumer_group="orders", topics=(TOPIC,), max_replicas=12
)

Curve = Callable[[float], float]
"""An offset by time, in seconds before (negative) or after `NOW`."""


def series(*points: tuple[float, float]) -> Series:
    """Return samples by their time relative to `NOW`."""
    return tuple(Sample(NOW + at, value) for at, value in points)


def every_scrape(curve: Curve, *, seconds: float = 300.0) -> Series:
    """Return samples of a curve up to `NOW`."""
    times = [-SCRAPE * back for back in range(int(seconds / SCRAPE), -1, -1)]
    return series(*((at, curve(at)) for at in times))


def rising(rate: float, *, at_now: float = 1_000_000.0, until: float = 0.0) -> Curve:
    """Return an offset that grows evenly until a time, and then rests."""
    return lambda at: floor(at_now + rate * min(at, until))


def group(
    ends: Mapping[Partition, Series],
    committed: Mapping[Partition, Series] | None = None,
    *,
    oldest: Mapping[Partition, Series] | None = None,
    pods: Mapping[str, PodSamples] | None = None,
    members: Series = (),
    ages: Series = (),
) -> GroupSamples:
    """Return a group's samples; committed is the end and the oldest offset 0 unless told."""
    return GroupSamples(
        ends=ends,
        oldest={place: tuple(Sample(at, 0.0) for at, _ in each) for place, each in ends.items()} | dict(oldest or {}),
        committed=ends if committed is None else committed,
        members=members,
        pods=pods or {},
        reading_ages=ages,
    )


def measured(samples: GroupSamples, spec: ScalerSpec = SPEC, *, now: float = NOW) -> Flow:
    """Return the flow, which must be known."""
    flow = measure_flow(samples, spec, now=now, scrape_seconds=SCRAPE)
    assert isinstance(flow, Flow), flow.why
    return flow


def only(samples: GroupSamples, spec: ScalerSpec = SPEC) -> PartitionFlow:
    """Return the flow of the one partition."""
    (partition,) = measured(samples, spec).partitions.values()
    return partition


def why_missing(samples: GroupSamples, spec: ScalerSpec = SPEC, *, now: float = NOW) -> str:
    """Return what isn't known; something must be."""
    flow = measure_flow(samples, spec, now=now, scrape_seconds=SCRAPE)
    assert isinstance(flow, Missing)
    return flow.why


def consumer(*places: Partition, since: float = -300.0) -> PodSamples:
    """Return a consumer that has these partitions since a time, and has worked off nothing."""
    times = [-SCRAPE * back for back in range(int(-since / SCRAPE), -1, -1)]
    ones = series(*((at, 1.0) for at in times))
    return PodSamples(
        batch_limit=series(*((at, 500.0) for at in times)), rebalances=ones, assigned=dict.fromkeys(places, ones)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """When Kafka is read, and how old that is at each scrape.

    Attributes:
        reads: times of the readings.
        scrapes: times of the scrapes.
        tells_age: whether it exports the age of what it shows.
    """

    reads: Sequence[float]
    scrapes: Sequence[float]
    tells_age: bool = True

    def shows(self, end: Curve, *, committed: Curve) -> GroupSamples:
        """Return what Prometheus holds."""
        shown = [(at, max((read for read in self.reads if read <= at), default=None)) for at in self.scrapes]
        known = [(at, read) for at, read in shown if read is not None]
        return group(
            {P0: series(*((at, end(read)) for at, read in known))},
            {P0: series(*((at, committed(read)) for at, read in known))},
            ages=series(*((at, at - read) for at, read in known)) if self.tells_age else (),
        )


def jittered(phase: float, jitter: Iterable[float]) -> list[float]:
    """Return times, one each 5 s of the last five minutes, each off by so much."""
    return [-300.0 + SCRAPE * index + phase + off for index, off in enumerate(jitter)]
