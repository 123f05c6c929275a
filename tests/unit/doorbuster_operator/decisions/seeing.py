"""Observations and assessments for tests, ordinary in all that a test doesn't say."""

from collections.abc import Mapping

from doorbuster_operator.decisions.assessment import Assessment
from doorbuster_operator.decisions.sizing import Sizing, size
from doorbuster_operator.model.capacity import Capacity, CapacitySource
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import Numbers
from doorbuster_operator.model.flow import Flow, PartitionFlow
from doorbuster_operator.model.memory import ScalerMemory
from doorbuster_operator.model.samples import GroupSamples, Partition, Sample, Series
from doorbuster_operator.model.spec import ScalerSpec
from doorbuster_operator.model.workload import Pod, Workload

NOW = 1_790_000_000.0
LONG_AGO = NOW - 10_000
TOPIC = "order-created"


def spec(**changes: object) -> ScalerSpec:
    fields: dict[str, object] = {
        "target_ref": {"name": "apps-consumer-stock"},
        "consumer_group": "stock-service-group",
        "topics": (TOPIC,),
        "max_replicas": 12,
    }
    return ScalerSpec.model_validate(fields | changes)


def pods(ready: int, *, starting: int = 0, created_at: float = LONG_AGO, template: str = "a") -> tuple[Pod, ...]:
    started = [
        Pod(name=f"ready-{each}", created_at=created_at, ready_at=created_at + 10, template=template)
        for each in range(ready)
    ]
    new = [Pod(name=f"new-{each}", created_at=NOW - 1, ready_at=None, template=template) for each in range(starting)]
    return (*started, *new)


def workload(replicas: int, *, ready: int | None = None) -> Workload:
    ready = replicas if ready is None else ready
    return Workload(replicas=replicas, ready=ready, pods=pods(ready))


def memory(**changes: object) -> ScalerMemory:
    return ScalerMemory(**{"watching_since": LONG_AGO} | changes)  # type: ignore[arg-type]


def seen(replicas: int = 1, **changes: object) -> Observation:
    fields: dict[str, object] = {
        "now": NOW,
        "spec": spec(),
        "samples": None,
        "workload": workload(replicas),
        "memory": memory(expected_replicas=replicas),
    }
    return Observation(**fields | changes)  # type: ignore[arg-type]


def partition_flow(rate: float = 0.0, **changes: float) -> PartitionFlow:
    fields = {
        "rate": rate,
        "fast_rate": rate,
        "committed_rate": rate,
        "lag": 0.0,
        "backlog": 0.0,
        "age": 0.0,
        "still_seconds": 0.0,
    }
    return PartitionFlow(**fields | changes)


def flow(*partitions: PartitionFlow, assigned: int | None = None, burst: bool = False) -> Flow:
    return Flow(
        partitions={Partition(TOPIC, number): each for number, each in enumerate(partitions)},
        burst=burst,
        members=1,
        assigned=assigned,
        rebalanced_at=None,
        seconds=300.0,
    )


def even_flow(rate: float, *, partitions: int = 12, **changes: float) -> Flow:
    """Return a flow with so many records a second in total; other figures are for each partition."""
    return flow(*[partition_flow(rate / partitions, **changes)] * partitions)


def capacity(rate: float, source: CapacitySource = CapacitySource.MEASURED) -> Capacity:
    return Capacity(records_per_second=rate, source=source, at=NOW, template="a")


def assessment(flow: Flow, **changes: object) -> Assessment:
    fields: dict[str, object] = {
        "flow": flow,
        "capacity": None,
        "sizing": None,
        "settling": False,
        "steps": (1, 2, 3, 4, 6, 12),
        "needed": 1,
        "out": 1,
        "enough": 1,
        "withheld": False,
        "moving_age": flow.age,
        "still": (),
    }
    return Assessment(**fields | changes)  # type: ignore[arg-type]


def numbers(rate: float) -> Numbers:
    return Numbers(
        rate=rate,
        lag=0.0,
        backlog=0.0,
        age=0.0,
        capacity=None,
        capacity_source="",
        heaviest=None,
        partitions=12,
        replicas=1,
        ready=1,
        needed=1,
        keda=1,
    )


def sizing(rate: float, *, backlog: float = 0.0, of: float = 33.0, partitions: int = 12) -> Sizing:
    """Return what the model says to arrivals and a backlog in total, with one replica there."""
    return size(seen(1), even_flow(rate, partitions=partitions, backlog=backlog / partitions), of, settling=False)


def samples(rates: Mapping[Partition, float], *, lag: float = 0.0, until: float = NOW) -> GroupSamples:
    """Return five minutes of steady arrivals; the same lag in each partition."""
    times = [until - 5.0 * tick for tick in reversed(range(61))]

    def series(rate: float, start: float) -> Series:
        return tuple(Sample(at, max(0.0, round(start + rate * (at - times[0])))) for at in times)

    return GroupSamples(
        ends={place: series(rate, 10_000.0) for place, rate in rates.items()},
        oldest={place: series(0.0, 0.0) for place in rates},
        committed={place: series(rate, 10_000.0 - lag) for place, rate in rates.items()},
        members=series(0.0, 1.0),
        pods={},
    )


def even_samples(rate: float, *, partitions: int = 12, lag: float = 0.0, until: float = NOW) -> GroupSamples:
    """Return five minutes of so many records a second in total, and a lag of so many records in total."""
    places = [Partition(TOPIC, number) for number in range(partitions)]
    return samples(dict.fromkeys(places, rate / partitions), lag=lag / partitions, until=until)
