"""A Kafka in memory: partitions with logs, committed offsets, and a group whose members rebalance when they poll."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from doorbuster.infra.kafka.record_source import CommitFailed, Partition, SourceFailed, SourceListener
from doorbuster.infra.kafka.records import Record

# Like a broker that sends nothing: long enough to be no busy loop, short enough for tests.
POLL_SECONDS = 0.001


@dataclass(slots=True)
class FakeKafka:
    """What the members of one group share."""

    logs: dict[Partition, list[Record]]
    committed: dict[Partition, int] = field(default_factory=dict)
    owners: dict[Partition, "FakeSource"] = field(default_factory=dict)
    members: list["FakeSource"] = field(default_factory=list)

    @classmethod
    def with_partitions(cls, topic: str, count: int) -> "FakeKafka":
        return cls(logs={Partition(topic, number): [] for number in range(count)})

    def produce(self, partition: Partition, *values: bytes) -> None:
        for value in values:
            record = Record(
                topic=partition.topic,
                partition=partition.number,
                offset=len(self.logs[partition]),
                key=None,
                value=value,
                timestamp_ms=0,
            )
            self.logs[partition].append(record)

    def due_to(self, member: "FakeSource") -> set[Partition]:
        place = self.members.index(member)
        return {partition for at, partition in enumerate(sorted(self.logs)) if at % len(self.members) == place}


class FakeSource:
    """One member; `lose`, `fail` and `refuse_commits` are what a test can do to it."""

    def __init__(self, kafka: FakeKafka) -> None:
        self.kafka = kafka
        self.commits: list[Mapping[Partition, int]] = []
        self.threads: set[int] = set()
        self.closed = False
        self.paused = False
        self.refuse_commits = False
        self._listener: SourceListener | None = None
        self._next: dict[Partition, int] = {}
        self._answers: list[Mapping[Partition, int]] = []
        self._lose = False
        self._vanished = False
        self._failure: str | None = None

    def lose(self) -> None:
        self._lose = True

    def fail(self, reason: str) -> None:
        self._failure = reason

    def subscribe(self, topics: Sequence[str], listener: SourceListener) -> None:
        assert {partition.topic for partition in self.kafka.logs} <= set(topics)
        self._listener = listener
        self.kafka.members.append(self)

    def poll(self, wait_seconds: float) -> Record | None:
        self.threads.add(threading.get_ident())
        if self._failure is not None:
            raise SourceFailed(self._failure)
        record = None if self._vanished else self._turn()
        if record is None:
            time.sleep(min(wait_seconds, POLL_SECONDS))
        return record

    def _turn(self) -> Record | None:
        # In this order a commit that was just sent is still under way when partitions are revoked.
        self._rebalance()
        self._answer()
        return None if self.paused else self._deliver()

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        self._answers.append(dict(offsets))

    def commit_and_wait(self, offsets: Mapping[Partition, int]) -> None:
        if self.refuse_commits:
            raise CommitFailed("no coordinator")
        self._store(offsets)

    def close(self) -> None:
        if self._vanished:
            return
        self._answer()
        if self._next:
            self._revoke(set(self._next))
        if self in self.kafka.members:
            self.kafka.members.remove(self)
        self.closed = True

    def vanish(self) -> None:
        """Be gone as a killed process is, after its session ended; whoever drives it further hears nothing."""
        self._vanished = True
        self.kafka.members.remove(self)
        for partition in [partition for partition, owner in self.kafka.owners.items() if owner is self]:
            del self.kafka.owners[partition]

    @property
    def listener(self) -> SourceListener:
        assert self._listener is not None
        return self._listener

    def _store(self, offsets: Mapping[Partition, int]) -> None:
        self.commits.append(dict(offsets))
        self.kafka.committed.update({each: offset for each, offset in offsets.items() if each in self._next})

    def _answer(self) -> None:
        answers, self._answers = self._answers, []
        for offsets in answers:
            if self.refuse_commits:
                self.listener.commit_failed(offsets, "NOT_COORDINATOR")
            else:
                self._store(offsets)
                self.listener.committed(offsets)

    def _rebalance(self) -> None:
        if self._lose:
            self._lose = False
            partitions = sorted(self._next)
            self._forget(partitions)
            self.listener.lost(partitions)
        due = self.kafka.due_to(self)
        if set(self._next) - due:
            self._revoke(set(self._next) - due)
        free = sorted(partition for partition in due if partition not in self.kafka.owners)
        if free:
            for partition in free:
                self.kafka.owners[partition] = self
                self._next[partition] = self.kafka.committed.get(partition, 0)
            self.listener.assigned(free)

    def _revoke(self, partitions: set[Partition]) -> None:
        self.listener.revoked(sorted(partitions))
        self._forget(sorted(partitions))

    def _forget(self, partitions: Sequence[Partition]) -> None:
        for partition in partitions:
            del self._next[partition]
            del self.kafka.owners[partition]

    def _deliver(self) -> Record | None:
        for partition, offset in self._next.items():
            if offset < len(self.kafka.logs[partition]):
                self._next[partition] = offset + 1
                return self.kafka.logs[partition][offset]
        return None
