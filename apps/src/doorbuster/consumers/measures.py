"""What a consumer exports about itself: enough to learn what a batch costs and what a replica can carry (P18)."""

from collections.abc import Callable, Iterable, Sequence

from doorbuster.consumers.ages import oldest_age_seconds
from doorbuster.infra import telemetry
from doorbuster.infra.kafka.record_source import Partition
from doorbuster.infra.kafka.records import BatchResult, Record


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

    def limited_to(self, records: int) -> None:
        """Export the most records in a batch."""
        telemetry.CONSUMER_BATCH_LIMIT.labels(self._group).set(records)

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
            busy_seconds: time of the attempt that was committed; attempts that failed would spoil what a batch costs.
            batch_seconds: from its first record to its commit, all attempts and pauses included.
        """
        telemetry.CONSUMER_BATCHES.labels(self._group).inc()
        telemetry.CONSUMER_BUSY_SECONDS.labels(self._group).inc(busy_seconds)
        telemetry.CONSUMER_BATCH_SECONDS.labels(self._group).observe(batch_seconds)
        for name, count in (
            ("processed", result.processed),
            ("duplicate", result.duplicates),
            ("dead-letter", result.dead_letters),
        ):
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
