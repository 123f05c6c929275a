"""Which offsets may be committed: the contiguous finished prefix of each partition (R10).

Records of an assignment that is over count for nothing. Pure: no input or output, no clock.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from doorbuster.infra.kafka.record_source import Partition
from doorbuster.infra.kafka.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record in hand, and the assignment under which it came."""

    record: Record
    generation: int


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far one partition is; offsets are those of the next record, as Kafka counts commits.

    Attributes:
        generation: differs for each assignment of the partition.
        waiting: offsets that were delivered and aren't part of the finished prefix, in order of delivery.
        done: those of `waiting` that are finished behind one that isn't.
        finished: end of the finished prefix; None before the first record is finished.
        sent: end of what was sent in a commit that didn't fail.
        acknowledged: end of what Kafka confirmed.
    """

    generation: int
    waiting: deque[int] = field(default_factory=deque)
    done: set[int] = field(default_factory=set)
    finished: int | None = None
    sent: int | None = None
    acknowledged: int | None = None

    def finish(self, offset: int) -> None:
        self.done.add(offset)
        # Offsets have gaps where the log was compacted, so the next one is what was delivered next, not offset + 1.
        while self.waiting and self.waiting[0] in self.done:
            first = self.waiting.popleft()
            self.done.discard(first)
            self.finished = first + 1


class Positions:
    """The partitions that are ours, and how far each of them is."""

    def __init__(self) -> None:
        self._progress: dict[Partition, _Progress] = {}
        self._generation = 0

    @property
    def ours(self) -> frozenset[Partition]:
        """The partitions that are assigned."""
        return frozenset(self._progress)

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Begin a new generation of these partitions; what was in hand of them is no longer ours."""
        self._generation += 1
        for partition in partitions:
            self._progress[partition] = _Progress(generation=self._generation)

    def give_up(self, partitions: Iterable[Partition]) -> None:
        """Forget these partitions; what is in hand of them is no longer ours."""
        for partition in partitions:
            self._progress.pop(partition, None)

    def hold(self, record: Record) -> Held | None:
        """Return the record with its generation; None if its partition isn't ours."""
        progress = self._progress.get(_partition(record))
        if progress is None:
            return None
        progress.waiting.append(record.offset)
        return Held(record=record, generation=progress.generation)

    def still_ours(self, batch: Iterable[Held]) -> Sequence[Held]:
        """Return the records whose assignment isn't over, in the same order."""
        return [held for held in batch if self._of(held) is not None]

    def finish(self, batch: Iterable[Held]) -> None:
        """Note that these records are done for good; those of assignments that are over are passed by."""
        for held in batch:
            progress = self._of(held)
            if progress is not None:
                progress.finish(held.record.offset)

    def to_send(self) -> Mapping[Partition, int]:
        """Return what is finished and not in a commit under way or confirmed."""
        return self._ends(lambda progress: progress.sent)

    def to_confirm(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """Return what is finished of these partitions and not confirmed, commits under way included."""
        ends = self._ends(lambda progress: progress.acknowledged)
        return {partition: ends[partition] for partition in partitions if partition in ends}

    def sent(self, offsets: Mapping[Partition, int]) -> None:
        """Note a commit that is under way."""
        for partition, offset in offsets.items():
            if partition in self._progress:
                self._progress[partition].sent = offset

    def acknowledged(self, offsets: Mapping[Partition, int]) -> None:
        """Note that a commit succeeded; one of an assignment that is over changes nothing."""
        for partition, offset in offsets.items():
            progress = self._progress.get(partition)
            if progress is not None and progress.sent is not None and offset <= progress.sent:
                progress.acknowledged = max(offset, progress.acknowledged or 0)

    def refused(self, offsets: Mapping[Partition, int]) -> None:
        """Note that a commit failed: what it held has to be sent again."""
        for partition in offsets:
            progress = self._progress.get(partition)
            if progress is not None:
                progress.sent = progress.acknowledged

    def _of(self, held: Held) -> _Progress | None:
        progress = self._progress.get(_partition(held.record))
        return progress if progress is not None and progress.generation == held.generation else None

    def _ends(self, known: Callable[[_Progress], int | None]) -> Mapping[Partition, int]:
        return {
            partition: progress.finished
            for partition, progress in self._progress.items()
            if progress.finished is not None and progress.finished != known(progress)
        }


def _partition(record: Record) -> Partition:
    return Partition(record.topic, record.partition)
