"""The port behind which a consumer of Kafka stands: records one by one, rebalances as calls, offsets as numbers.

All methods block and are called by one thread, one after the other. The listener is called by that same thread, inside
`poll`, `commit_and_wait` and `close`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from doorbuster.infra.kafka.records import Record
from doorbuster.kernel.errors import DoorbusterError


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int


class SourceFailed(DoorbusterError):
    """The consumer can never work again; only a new process helps."""


class CommitFailed(DoorbusterError):
    """Offsets were not committed, or only some; their records come again."""


class SourceListener(Protocol):
    """Is told what happens to the assignment and to commits."""

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """Note partitions whose records come from now on, beginning at their committed offset."""

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Give up partitions that are ours until this returns: the last moment to commit."""

    def lost(self, partitions: Sequence[Partition]) -> None:
        """Give up partitions that somebody else may have already: no commit."""

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Note that an asynchronous commit succeeded."""

    def commit_failed(self, offsets: Mapping[Partition, int], error: str) -> None:
        """Note that an asynchronous commit failed; `error` is the error's name."""


class RecordSource(Protocol):
    """One member of a consumer group."""

    def subscribe(self, topics: Sequence[str], listener: SourceListener) -> None:
        """Join the group for these topics; they and Kafka itself may be missing yet."""

    def poll(self, wait_seconds: float) -> Record | None:
        """Return the next record, or None when none came in time; calls the listener before, never after the record.

        Raises:
            SourceFailed: only a new process helps.
        """

    def pause(self) -> None:
        """Deliver nothing of any partition, present or assigned later, until `resume`; `poll` goes on."""

    def resume(self) -> None:
        """Deliver again, beginning after the last record that was delivered."""

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Send the offsets of the next records to read; the listener hears what became of it."""

    def commit_and_wait(self, offsets: Mapping[Partition, int]) -> None:
        """Commit the offsets of the next records to read.

        Raises:
            CommitFailed: not all are committed.
        """

    def close(self) -> None:
        """Give up all partitions and leave the group."""
