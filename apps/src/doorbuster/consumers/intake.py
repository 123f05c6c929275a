"""The side of the consumer runtime that touches Kafka: gathers batches, commits, answers rebalances.

All methods but `finish` run in one thread; `finish` only while that thread has nothing to do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from doorbuster.consumers.measures import Measures
from doorbuster.consumers.positions import Held, Positions
from doorbuster.infra.kafka.record_source import CommitFailed, Partition, RecordSource

# How often a consumer without partitions says so: Kafka or the topics are missing, or there are more consumers than
# partitions.
SAY_EVERY_SECONDS = 30.0
# A batch of one record may be delayed for longer.
LONGEST_DELAY_SECONDS = 0.5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of a batch and of every wait.

    Attributes:
        records: most records in a batch (R3).
        value_bytes: a batch ends with the record that reaches so many bytes (R3).
        idle_seconds: longest wait for a first record; also how soon a stop is seen.
        linger_seconds: longest wait for the records behind the first, when the last batch was long ago.
        rest: after a batch so many times as long as it took is spent on gathering the next one, unless that is full.
            A batch costs nearly the same whatever is in it, so this leaves a busy machine to the others, and where a
            batch takes a few milliseconds nobody notices. It takes nothing from the most that a consumer can carry
            (P18): behind a full batch the next full one follows at once.
        longest_rest_seconds: that time's upper end.
    """

    records: int = 500
    value_bytes: int = 1024 * 1024
    idle_seconds: float = 0.5
    linger_seconds: float = 0.005
    rest: float = 2.0
    longest_rest_seconds: float = 0.5


def limits_with(delay_per_record_seconds: float) -> Limits:
    """Return the bounds of a consumer with a fault delay (P19): its batches end at half a second of that."""
    limits = Limits()
    if delay_per_record_seconds <= 0:
        return limits
    # Rounded down, but not for what a division of floats leaves off.
    fitting = int(LONGEST_DELAY_SECONDS / delay_per_record_seconds + 1e-9)
    return replace(limits, records=min(limits.records, max(1, fitting)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records that are worked off in one transaction.

    Attributes:
        held: in order of delivery.
        since: when the first one came, in monotonic seconds.
        delayed_seconds: how long its work was held up on purpose (P19).
    """

    held: Sequence[Held]
    since: float
    delayed_seconds: float = 0.0


class Intake:
    """Takes batches from a record source, and commits what is finished."""

    def __init__(
        self,
        source: RecordSource,
        group: str,
        *,
        limits: Limits,
        measures: Measures,
        clock: Callable[[], float],
    ) -> None:
        """Take from `source`; `clock` is in monotonic seconds."""
        self._source = source
        self._group = group
        self._limits = limits
        self._measures = measures
        self._clock = clock
        self._positions = Positions()
        self._arrived: list[Held] = []
        self._said_at = clock()
        self._begun_at = self._rested_at = clock()

    def start(self, topics: Sequence[str]) -> None:
        """Join the group."""
        self._measures.limited_to(self._limits.records)
        self._source.subscribe(topics, self)

    def take(self) -> Batch:
        """Send the commit that is due, then return the next batch: empty when nothing came in time.

        Raises:
            SourceFailed: only a new process helps.
        """
        self._commit()
        since = self._gather()
        held, self._arrived = self._positions.still_ours(self._arrived), []
        if held:
            self._begun_at = self._clock()
        else:
            self._measures.nothing_in_hand()
            self._say_what_is_missing()
        return Batch(held=held, since=since)

    def finish(self, batch: Batch) -> None:
        """Note that the batch is committed in the database; its offsets go with the next `take`."""
        self._positions.finish(batch.held)
        now = self._clock()
        self._rested_at = now + min(self._limits.rest * (now - self._begun_at), self._limits.longest_rest_seconds)

    def pause(self) -> None:
        """Stop the delivery while a batch in hand waits."""
        self._source.pause()

    def resume(self) -> None:
        """Let records come again."""
        self._source.resume()

    def stay(self, batch: Batch, seconds: float) -> Batch:
        """Stay a member of the group for so long; return what of the batch is still ours.

        Raises:
            SourceFailed: only a new process helps.
        """
        deadline = self._clock() + seconds
        while (left := deadline - self._clock()) > 0:
            # Paused partitions deliver nothing; a record that was on its way nevertheless waits for the next batch.
            self._hold_next(left)
        return replace(batch, held=self._positions.still_ours(batch.held))

    def close(self) -> None:
        """Leave the group; the source has us give up all partitions, and thereby commit what is finished."""
        self._source.close()

    # What the source tells

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """Begin with these partitions."""
        self._positions.assign(partitions)
        self._measures.assigned(partitions)
        log.info("partitions_assigned", group=self._group, partitions=_shown(partitions))

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Commit what is finished of these partitions and give them up."""
        self._commit_and_wait(partitions)
        self._give_up(partitions, "revoked")

    def lost(self, partitions: Sequence[Partition]) -> None:
        """Give up partitions that may be somebody else's already."""
        self._give_up(partitions, "lost")

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Note a commit's success."""
        self._positions.acknowledged(offsets)

    def commit_failed(self, offsets: Mapping[Partition, int], error: str) -> None:
        """Note a commit's failure; the next `take` sends it again."""
        self._positions.refused(offsets)
        self._measures.kafka_error(error)
        log.warning("commit_failed", group=self._group, error=error, partitions=_shown(list(offsets)))

    # The parts

    def _gather(self) -> float:
        """Fill `_arrived` up to the limits; return when its first record came."""
        # Only once: waiting for a first record, with records of the last wait in hand, would make those older.
        more = self._hold_next(0 if self._arrived else self._limits.idle_seconds)
        since = self._clock()
        until = max(since + self._limits.linger_seconds, self._rested_at)
        size = sum(len(held.record.value or b"") for held in self._arrived)
        while more and len(self._arrived) < self._limits.records and size < self._limits.value_bytes:
            more = self._hold_next(max(0.0, until - self._clock()))
            size += len(self._arrived[-1].record.value or b"") if more and self._arrived else 0
        return since

    def _hold_next(self, wait_seconds: float) -> bool:
        """Say whether a record came, which is then in `_arrived`."""
        record = self._source.poll(wait_seconds)
        if record is None:
            return False
        held = self._positions.hold(record)
        if held is not None:
            self._arrived.append(held)
        return True

    def _commit(self) -> None:
        offsets = self._positions.to_send()
        if offsets:
            self._positions.sent(offsets)
            self._source.commit(offsets)

    def _commit_and_wait(self, partitions: Sequence[Partition]) -> None:
        offsets = self._positions.to_confirm(partitions)
        if not offsets:
            return
        try:
            self._source.commit_and_wait(offsets)
        except CommitFailed as exc:
            # The records come again, to whoever has the partitions then, and are known as duplicates.
            log.warning("last_commit_failed", group=self._group, error=str(exc))
            self._measures.kafka_error("last_commit_failed")
            return
        self._positions.sent(offsets)
        self._positions.acknowledged(offsets)

    def _give_up(self, partitions: Sequence[Partition], kind: str) -> None:
        self._positions.give_up(partitions)
        self._measures.given_up(partitions, kind)
        log.info("partitions_given_up", group=self._group, how=kind, partitions=_shown(partitions))

    def _say_what_is_missing(self) -> None:
        if self._positions.ours:
            self._said_at = self._clock()
        elif self._clock() - self._said_at >= SAY_EVERY_SECONDS:
            self._said_at = self._clock()
            log.info("no_partitions_assigned", group=self._group)


def _shown(partitions: Sequence[Partition]) -> Sequence[str]:
    return [f"{partition.topic}/{partition.number}" for partition in sorted(partitions)]
