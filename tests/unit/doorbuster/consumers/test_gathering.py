"""How long a batch gathers: hardly at all after a quiet time, for an interval under load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from doorbuster.consumers.intake import Intake, Limits
from doorbuster.consumers.measures import Measures
from doorbuster.infra.kafka.record_source import Partition, SourceListener
from doorbuster.infra.kafka.records import Record

PLACE = Partition("order-created", 0)
LIMITS = Limits(records=500, value_bytes=1_000_000, idle_seconds=1.0, linger_seconds=0.005, interval_seconds=0.05)


@dataclass
class Arrivals:
    """A source whose records come at set times, on a clock that only waiting moves."""

    times: list[float]
    now: float = 0.0
    offset: int = 0
    commits: list[Mapping[Partition, int]] = field(default_factory=list)

    def subscribe(self, topics: Sequence[str], listener: SourceListener) -> None:
        listener.assigned([PLACE])

    def poll(self, wait_seconds: float) -> Record | None:
        until = self.now + wait_seconds
        if not self.times or self.times[0] > until:
            self.now = until
            return None
        self.now = max(self.now, self.times.pop(0))
        self.offset += 1
        return Record(
            topic=PLACE.topic, partition=PLACE.number, offset=self.offset, key=None, value=b"x", timestamp_ms=0
        )

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        self.commits.append(offsets)

    def commit_and_wait(self, offsets: Mapping[Partition, int]) -> None:
        self.commit(offsets)

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def close(self) -> None: ...


def batches(source: Arrivals) -> list[tuple[float, int]]:
    """Take batches until a wait brings none: when each was taken, and how many records it had."""
    intake = Intake(
        source, "stock-service-group", limits=LIMITS,
        measures=Measures("stock-service-group", lambda: 0.0), clock=lambda: source.now,
    )  # fmt: skip
    intake.start([PLACE.topic])
    taken = []
    while (batch := intake.take()).held:
        taken.append((round(source.now, 3), len(batch.held)))
        intake.finish(batch)
    return taken


def test_a_lone_record_hardly_waits() -> None:
    assert batches(Arrivals(times=[0.5])) == [(0.505, 1)]


def test_records_that_follow_each_other_closely_share_a_batch() -> None:
    # One each 10 ms: the first alone, then five in each interval.
    assert batches(Arrivals(times=[0.5 + number / 100 for number in range(11)])) == [(0.505, 1), (0.555, 5), (0.605, 5)]


def test_after_a_quiet_time_the_next_record_hardly_waits_again() -> None:
    assert batches(Arrivals(times=[0.5, 0.9])) == [(0.505, 1), (0.905, 1)]


def test_a_full_batch_waits_for_nothing() -> None:
    taken = batches(Arrivals(times=[0.5] + [0.51] * 1200))

    assert taken[:3] == [(0.505, 1), (0.51, 500), (0.51, 500)]
    assert sum(count for _, count in taken) == 1201
