"""A consumer: a batch of n records takes a + b · n seconds, and the next one begins at once or after a rest (P18)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.unit.doorbuster_operator.simulation.topic import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a batch costs, in seconds; then `rest` times as long is spent on gathering the next, unless that is full.

    Attributes:
        unseen: what a batch costs besides, and doesn't count as busy.
    """

    fixed: float = 0.0
    per_record: float
    limit: int
    rest: float = 2.0
    longest_rest: float = 0.5
    unseen: float = 0.0

    @property
    def capacity(self) -> float:
        return self.limit / self.seconds(self.limit)

    def seconds(self, records: int) -> float:
        return self.fixed + self.per_record * records


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Records in hand; times in seconds since the world began."""

    ends_at: float
    records: int
    seconds: float


class Consumer:
    """Works on what its partitions hold, and counts."""

    def __init__(self, cost: Cost, now: float) -> None:
        self.cost = cost
        self.batches = 0
        self.records = 0
        self.busy_seconds = 0.0
        self.rebalances = 0
        self._turn: Turn | None = None
        self._free_at = now
        self._rested_at = now

    def work(self, logs: Sequence[Log], begin: float, seconds: float) -> None:
        """Work for so long on logs to which this step's records come evenly."""
        arrived = sum(log.arrived for log in logs)
        waiting = sum(log.waiting for log in logs)
        available = waiting - arrived - (self._turn.records if self._turn else 0)
        rate = arrived / seconds
        done, end = 0, begin + seconds
        while True:
            if self._turn is None:
                self._turn = self._next_turn(begin, end, available, rate)
                if self._turn is None:
                    break
                available -= self._turn.records
            if self._turn.ends_at > end:
                break
            done += self._finish(self._turn)
        _take(logs, min(done, waiting))

    def _next_turn(self, begin: float, end: float, available: float, rate: float) -> Turn | None:
        """Return the batch that begins within the step; `available` counts from the step's begin."""
        free = max(self._free_at, begin)
        full_at = begin + _seconds_until(self.cost.limit, available, rate)
        first_at = begin + _seconds_until(1, available, rate)
        start = max(free, min(full_at, max(first_at, self._rested_at)))
        if start >= end:
            return None
        records = min(self.cost.limit, math.floor(available + rate * (start - begin) + 1e-6))
        seconds = self.cost.seconds(records)
        return Turn(ends_at=start + seconds, records=records, seconds=seconds)

    def _finish(self, turn: Turn) -> int:
        self.batches += 1
        self.records += turn.records
        self.busy_seconds += turn.seconds
        self._free_at = turn.ends_at + self.cost.unseen
        self._rested_at = turn.ends_at + min(self.cost.longest_rest, self.cost.rest * turn.seconds)
        self._turn = None
        return turn.records


def _seconds_until(records: int, available: float, rate: float) -> float:
    if available >= records:
        return 0.0
    return (records - available) / rate if rate > 0 else math.inf


def _take(logs: Sequence[Log], records: int) -> None:
    """Take whole records from all logs alike; the rest from those whose oldest record has waited longest."""
    waiting = sum(log.waiting for log in logs)
    left = records
    for log in logs:
        taken = records * log.waiting // waiting if waiting else 0
        log.position += taken
        left -= taken
    for log in sorted((log for log in logs if log.waiting), key=Log.oldest_at)[:left]:
        log.position += 1
