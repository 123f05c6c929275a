"""What the lag exporter read from Kafka, by the time at which it read it.

The exporter reads every 5 s and is scraped every 5 s (P14). Neither waits for the other, so two scrapes may show one
reading and the next scrape one that is two readings on. By the time of the scrapes, the rate over 10 s would be half
or one and a half times the true one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from doorbuster_operator.decisions.series import clean, until
from doorbuster_operator.model.samples import GroupSamples, Partition, Sample, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionReadings:
    """Offsets of one partition; the newest of each are of one reading.

    Attributes:
        committed: empty when the group never committed there.
    """

    ends: Series
    oldest: Series
    committed: Series

    def position_at(self, at: float) -> float:
        """Return the offset that the group reads next: not before the oldest one, where it may never have begun."""
        oldest = until(self.oldest, at) or self.oldest[:1]
        committed = until(self.committed, at)
        return max(oldest[-1].value, committed[-1].value) if committed else oldest[-1].value

    @property
    def at(self) -> float:
        """When Kafka was read last."""
        return self.ends[-1].at

    @property
    def lag(self) -> float:
        """Records between the position and the end; 0 where the position is beyond, in a log that was made anew."""
        return max(0.0, self.ends[-1].value - self.position_at(self.at))


def readings_of(samples: GroupSamples, place: Partition, times: Mapping[float, float]) -> PartitionReadings | None:
    """Return a partition's offsets by the times of `reading_times`; None when its end or its oldest isn't known."""
    ends, oldest, committed = (
        _read(kind.get(place, ()), times) for kind in (samples.ends, samples.oldest, samples.committed)
    )
    if not ends or not oldest:
        return None
    # An exporter that couldn't read everything leaves out the rest. An end without its commit would be too much lag.
    common = min(each[-1].at for each in (ends, oldest, committed) if each)
    return PartitionReadings(
        ends=until(ends, common) or ends[:1], oldest=until(oldest, common) or oldest[:1], committed=committed
    )


def reading_times(samples: GroupSamples, *, scrape_seconds: float) -> Mapping[float, float]:
    """Return when Kafka was read, by the time of the scrape; a scrape that shows an earlier one's reading isn't in it.

    Where nobody says how old a reading was, a scrape that shows the same offsets everywhere as the one before counts as
    the same reading, but only if that one showed others: a group at rest shows the same offsets for long.
    """
    ages = dict(clean(samples.reading_ages))
    times: dict[float, float] = {}
    shown: tuple[float, ...] | None = None
    latest, moved = -inf, False
    for at, offsets in _scrapes(samples):
        read_at = at - ages.get(at, 0.0)
        same = read_at - latest < scrape_seconds / 2 if at in ages else offsets == shown and moved
        if not same:
            times[at] = latest = read_at
        moved = shown is not None and offsets != shown
        shown = offsets
    return times


def _scrapes(samples: GroupSamples) -> Iterator[tuple[float, tuple[float, ...]]]:
    """Yield each scrape's time and all its ends and committed offsets, oldest first."""
    values: dict[float, list[float]] = {}
    for kind in (samples.ends, samples.committed):
        for place in sorted(kind):
            for at, value in clean(kind[place]):
                values.setdefault(at, []).append(value)
    for at in sorted(values):
        yield at, tuple(values[at])


def _read(series: Series, times: Mapping[float, float]) -> Series:
    return clean(tuple(Sample(times[at], value) for at, value in series if at in times))
