"""How long a batch gathers: hardly at all after a quiet time, under load as long as the last one makes it worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from doorbuster.consumers.intake import Intake, Limits
from doorbuster.consumers.measures import Measures
from doorbuster.infra.kafka.record_source import Partition, SourceListener
from doorbuster.infra.kafka.records import Record

PLACE = Partition("order-created", 0)
LIMITS = Limits(
    records=500, value_bytes=1_000_000, idle_seconds=1.0, linger_seconds=0.005, rest=2.0, longest_rest_seconds=0.5
)


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


def batches(source: Arrivals, *, work_seconds: float) -> list[tuple[float, int]]:
    """Take batches until a wait brings none, each of which takes so long: when each was taken, and its size."""
    intake = Intake(
        source, "stock-service-group", limits=LIMITS,
        measures=Measures("stock-service-group", lambda: 0.0), clock=lambda: source.now,
    )  # fmt: skip
    intake.start([PLACE.topic])
    taken = []
    while (batch := intake.take()).held:
        taken.append((round(source.now, 3), len(batch.held)))
        source.now += work_seconds
        intake.finish(batch)
    return taken


def test_a_lone_record_hardly_waits() -> None:
    assert batches(Arrivals(times=[0.5]), work_seconds=0.02) == [(0.505, 1)]


def test_the_next_batch_gathers_for_twice_the_time_that_the_last_one_took() -> None:
    # One each 10 ms. The first alone; it takes 20 ms, so the next is taken 40 ms after its end, with six records.
    every_ten_milliseconds = [0.5 + number / 100 for number in range(13)]

    taken = batches(Arrivals(times=every_ten_milliseconds), work_seconds=0.02)

    assert taken == [(0.505, 1), (0.565, 6), (0.625, 6)]


def test_on_a_busy_machine_batches_are_fewer_and_larger() -> None:
    every_ten_milliseconds = [0.5 + number / 100 for number in range(100)]

    taken = batches(Arrivals(times=every_ten_milliseconds), work_seconds=0.15)

    assert [count for _, count in taken] == [1, 45, 45, 9]


def test_the_rest_has_an_upper_end() -> None:
    assert batches(Arrivals(times=[0.5, 0.6]), work_seconds=3.0) == [(0.505, 1), (4.005, 1)]


def test_after_a_quiet_time_the_next_record_hardly_waits_again() -> None:
    assert batches(Arrivals(times=[0.5, 0.9]), work_seconds=0.02) == [(0.505, 1), (0.905, 1)]


def test_a_full_batch_waits_for_nothing() -> None:
    taken = batches(Arrivals(times=[0.5] + [0.51] * 1200), work_seconds=0.02)

    assert taken[:3] == [(0.505, 1), (0.525, 500), (0.545, 500)]
    assert sum(count for _, count in taken) == 1201
