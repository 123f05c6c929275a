"""What every record source promises: the fake and Kafka's pass the same tests."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from doorbuster.infra.kafka.record_source import Partition, RecordSource
from doorbuster.infra.kafka.records import Record

PARTITIONS = 2


class World(Protocol):
    """A topic with two partitions, and a group that reads it."""

    topic: str
    patience_seconds: float
    quiet_seconds: float

    def produce(self, number: int, *values: bytes) -> None:
        """Append to a partition."""

    def source(self) -> RecordSource:
        """Return a new member of the group, closed at the end of the test if it isn't by then."""
        ...


@dataclass(slots=True)
class Listener:
    """Remembers what it was told; commits `on_revoke` when partitions are revoked."""

    source: RecordSource
    on_revoke: dict[Partition, int] = field(default_factory=dict)
    ours: set[Partition] = field(default_factory=set)
    revoked_before: list[Partition] = field(default_factory=list)
    confirmed: dict[Partition, int] = field(default_factory=dict)

    def assigned(self, partitions: Sequence[Partition]) -> None:
        assert self.ours.isdisjoint(partitions)
        self.ours.update(partitions)

    def revoked(self, partitions: Sequence[Partition]) -> None:
        if self.on_revoke:
            self.source.commit_and_wait(self.on_revoke)
        self.ours.difference_update(partitions)
        self.revoked_before += partitions

    def lost(self, partitions: Sequence[Partition]) -> None:
        self.ours.difference_update(partitions)

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        self.confirmed.update(offsets)

    def commit_failed(self, offsets: Mapping[Partition, int], error: str) -> None:
        raise AssertionError(f"{offsets}: {error}")


def joined(world: World) -> tuple[RecordSource, Listener]:
    source = world.source()
    listener = Listener(source)
    source.subscribe([world.topic], listener)
    return source, listener


def polled_until(world: World, reached: Callable[[], bool], *sources: RecordSource) -> list[Record]:
    """Poll all sources in turn until the state is reached; return what they delivered."""
    records = []
    deadline = time.monotonic() + world.patience_seconds
    while not reached():
        assert time.monotonic() < deadline, "the state was not reached in time"
        records += [record for source in sources if (record := source.poll(0.05)) is not None]
    return records


def read(world: World, source: RecordSource, count: int) -> list[tuple[int, int, bytes | None]]:
    """Return place and value of the next records, by partition."""
    records: list[Record] = []
    deadline = time.monotonic() + world.patience_seconds
    while len(records) < count:
        assert time.monotonic() < deadline, f"only {len(records)} records in time"
        record = source.poll(0.05)
        records += [] if record is None else [record]
    return sorted((record.partition, record.offset, record.value) for record in records)


def silent(world: World, source: RecordSource) -> bool:
    deadline = time.monotonic() + world.quiet_seconds
    while time.monotonic() < deadline:
        if source.poll(0.05) is not None:
            return False
    return True


class RecordSourceContract:
    def test_records_come_in_the_order_of_their_partition(self, world: World) -> None:
        world.produce(0, b"a", b"b")
        world.produce(1, b"c")
        source, listener = joined(world)

        assert read(world, source, 3) == [(0, 0, b"a"), (0, 1, b"b"), (1, 0, b"c")]
        assert listener.ours == {Partition(world.topic, 0), Partition(world.topic, 1)}

    def test_what_was_not_committed_comes_again_to_the_next_member(self, world: World) -> None:
        world.produce(0, b"a", b"b", b"c")
        first, _ = joined(world)
        read(world, first, 3)
        first.commit_and_wait({Partition(world.topic, 0): 1})
        first.close()

        second, _ = joined(world)

        assert read(world, second, 2) == [(0, 1, b"b"), (0, 2, b"c")]

    def test_a_commit_on_the_way_out_counts(self, world: World) -> None:
        world.produce(0, b"a", b"b")
        first, listener = joined(world)
        read(world, first, 2)
        listener.on_revoke = {Partition(world.topic, 0): 2}
        first.close()
        world.produce(0, b"c")

        second, _ = joined(world)

        assert sorted(listener.revoked_before) == [Partition(world.topic, 0), Partition(world.topic, 1)]
        assert read(world, second, 1) == [(0, 2, b"c")]

    def test_the_listener_hears_what_became_of_a_commit(self, world: World) -> None:
        world.produce(0, b"a")
        source, listener = joined(world)
        read(world, source, 1)

        source.commit({Partition(world.topic, 0): 1})

        assert polled_until(world, lambda: bool(listener.confirmed), source) == []
        assert listener.confirmed == {Partition(world.topic, 0): 1}

    def test_nothing_comes_while_paused_and_nothing_is_missing_afterwards(self, world: World) -> None:
        world.produce(0, b"a", b"b", b"c")
        source, _ = joined(world)
        assert read(world, source, 1) == [(0, 0, b"a")]

        source.pause()
        was_silent = silent(world, source)
        source.resume()

        assert was_silent
        assert read(world, source, 2) == [(0, 1, b"b"), (0, 2, b"c")]

    def test_partitions_that_are_assigned_in_a_pause_wait_for_its_end(self, world: World) -> None:
        world.produce(0, b"a")
        source, listener = joined(world)
        source.pause()

        delivered = polled_until(world, lambda: len(listener.ours) == PARTITIONS, source)
        was_silent = silent(world, source)
        source.resume()

        assert (delivered, was_silent) == ([], True)
        assert read(world, source, 1) == [(0, 0, b"a")]

    def test_a_second_member_gets_its_share_and_the_first_the_rest(self, world: World) -> None:
        first, ours = joined(world)
        polled_until(world, lambda: len(ours.ours) == PARTITIONS, first)

        # Between the two assignments there is a moment in which the first has none.
        second, theirs = joined(world)
        polled_until(world, lambda: len(ours.ours) == len(theirs.ours) == 1, first, second)

        assert ours.ours | theirs.ours == {Partition(world.topic, 0), Partition(world.topic, 1)}
        assert theirs.ours <= set(ours.revoked_before)
