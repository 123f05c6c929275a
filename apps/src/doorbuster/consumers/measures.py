"""What a consumer exports about itself: enough to learn what a batch costs and what a replica can carry (P18).

Over any time, busy seconds = a · batches + b · records: all three are counted at once when a batch is committed. Busy
is the time from the handler's call to its return, COMMIT included, and a fault delay before it (P19). Left out, because
they would spoil a and b: gathering a batch, sending offsets, attempts that had to be repeated and the pauses between
them. A batch that was given up counts for nothing. So a consumer in trouble looks idle by these numbers; retries have a
counter of their own.
"""

from collections.abc import Callable, Iterable, Sequence

from doorbuster.consumers.ages import oldest_age_seconds
from doorbuster.infra import telemetry
from doorbuster.infra.kafka.record_source import Partition
from doorbuster.infra.kafka.records import BatchResult, Record

_RESULTS = ("processed", "duplicate", "dead-letter")
_REBALANCES = ("assigned", "revoked", "lost")


class Measures:
    """The metrics of one group's consumer."""

    def __init__(self, group: str, wall_clock: Callable[[], float]) -> None:
        """Measure for a group.

        Args:
            group: the consumer group's name.
            wall_clock: seconds since 1970.
        """
        self._group = group
        self._wall_clock = wall_clock
        self._age = telemetry.CONSUMER_OLDEST_RECORD_AGE_SECONDS.labels(group)
        self.nothing_in_hand()
        self.delayed(0)
        self._show_zeros()

    def limited_to(self, records: int) -> None:
        """Export the most records in a batch."""
        telemetry.CONSUMER_BATCH_LIMIT.labels(self._group).set(records)

    def delayed(self, seconds_per_record: float) -> None:
        """Export the fault delay; 0 means none."""
        telemetry.FAULT_DELAY_SECONDS.labels(self._group).set(seconds_per_record)

    def in_hand(self, records: Sequence[Record]) -> None:
        """Export the age of the oldest of these records."""
        self._age.set(oldest_age_seconds(records, self._wall_clock()))

    def nothing_in_hand(self) -> None:
        """Export that no record waits. Between two batches the last one's age stays, or a scrape would see mostly 0."""
        self._age.set(0)

    def finished(self, result: BatchResult, *, busy_seconds: float, batch_seconds: float) -> None:
        """Count a committed batch.

        Args:
            result: how its records ended.
            busy_seconds: time of the attempt that was committed, and of the fault delay before the first.
            batch_seconds: from its first record to its commit, all attempts and pauses included.
        """
        telemetry.CONSUMER_BATCHES.labels(self._group).inc()
        telemetry.CONSUMER_BUSY_SECONDS.labels(self._group).inc(busy_seconds)
        telemetry.CONSUMER_BATCH_SECONDS.labels(self._group).observe(batch_seconds)
        counts = (result.processed, result.duplicates, result.dead_letters)
        for name, count in zip(_RESULTS, counts, strict=True):
            telemetry.CONSUMER_RECORDS.labels(self._group, name).inc(count)

    def retried(self, cause: str) -> None:
        """Count an attempt that has to be repeated, by the name of its error."""
        telemetry.CONSUMER_RETRIES.labels(self._group, cause).inc()

    def kafka_error(self, name: str) -> None:
        """Count an error of Kafka, by Kafka's name for it."""
        telemetry.CONSUMER_ERRORS.labels(self._group, name).inc()

    def assigned(self, partitions: Iterable[Partition]) -> None:
        """Count an assignment and show its partitions."""
        telemetry.CONSUMER_REBALANCES.labels(self._group, "assigned").inc()
        for partition in partitions:
            telemetry.CONSUMER_ASSIGNED.labels(self._group, partition.topic, partition.number).set(1)

    def given_up(self, partitions: Iterable[Partition], kind: str) -> None:
        """Count partitions that went as `revoked` or `lost`, and show them no longer."""
        telemetry.CONSUMER_REBALANCES.labels(self._group, kind).inc()
        for partition in partitions:
            telemetry.CONSUMER_ASSIGNED.remove(self._group, partition.topic, partition.number)

    def _show_zeros(self) -> None:
        """Have all series there before anything is counted: a rate needs the sample before the first one."""
        for counter in (telemetry.CONSUMER_BATCHES, telemetry.CONSUMER_BUSY_SECONDS, telemetry.CONSUMER_BATCH_SECONDS):
            counter.labels(self._group)
        for result in _RESULTS:
            telemetry.CONSUMER_RECORDS.labels(self._group, result)
        for kind in _REBALANCES:
            telemetry.CONSUMER_REBALANCES.labels(self._group, kind)
