"""What a load has measured: how many requests a second, how fast they were answered, and what was answered. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadtests.reports.limits import percent
from loadtests.witness import Attempt, Call, Outcome

# Over so long a time requests are counted for a picture.
WINDOW_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request.

    Attributes:
        at: when it began, in seconds since 1970.
        seconds: how long it took.
        intent: names what it was to achieve; repeats have the same.
        outcome: how it ended.
    """

    at: float
    seconds: float
    intent: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Requests of one kind. Times are in milliseconds; None where there was no request.

    Attributes:
        name: which requests.
        requests: how many, repeats under the same key among them.
        per_second: from the first request's beginning to the last answer; None without a duration.
        intents: how many were to achieve something, repeats left out.
        ok: intents that succeeded.
        sold_out: intents that were told that nothing is left: an answer of the business, and no error.
        refused: intents that were told no.
        unknown: intents of which nobody knows.
    """

    name: str
    requests: int
    per_second: float | None
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    intents: int
    ok: int
    sold_out: int
    refused: int
    unknown: int

    @property
    def errors(self) -> int:
        """How many intents were neither achieved nor sold out."""
        return self.refused + self.unknown

    @property
    def error_percent(self) -> float | None:
        """The errors' share of all intents; None if there were none."""
        return percent(self.errors, self.intents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A short stretch of a load, for a picture.

    Attributes:
        begin: seconds since the first request.
        rates: requests a second, by how they ended.
        p50_ms: how long half of them took at most; None if there were none.
        p95_ms: the same of 95 %.
    """

    begin: float
    rates: Mapping[Outcome, float]
    p50_ms: float | None
    p95_ms: float | None


def samples_of(tried: Iterable[Attempt | Call]) -> list[Sample]:
    """Return requests as samples, in the order in which they began."""
    found = [Sample(at=each.at, seconds=each.seconds, intent=each.key, outcome=each.outcome) for each in tried]
    return sorted(found, key=lambda sample: sample.at)


def measure(name: str, samples: Sequence[Sample]) -> Measurement:
    """Return what samples come to.

    Args:
        name: which requests they are.
        samples: those with one key in the order in which they began.
    """
    times = sorted(sample.seconds * 1000 for sample in samples)
    # What became of an intent in the end; that it succeeded stays, whatever a repeat was told.
    ends: dict[str, Outcome] = {}
    for sample in samples:
        if ends.get(sample.intent) is not Outcome.OK:
            ends[sample.intent] = sample.outcome
    outcomes = Counter(ends.values())
    return Measurement(
        name=name,
        requests=len(samples),
        per_second=_rate(samples),
        mean_ms=round(sum(times) / len(times), 1) if times else None,
        p50_ms=_quantile_or_none(times, 0.50),
        p95_ms=_quantile_or_none(times, 0.95),
        p99_ms=_quantile_or_none(times, 0.99),
        intents=len(ends),
        ok=outcomes[Outcome.OK],
        sold_out=outcomes[Outcome.SOLD_OUT],
        refused=outcomes[Outcome.FAIL],
        unknown=outcomes[Outcome.UNKNOWN],
    )


def windows(samples: Sequence[Sample], *, seconds: float = WINDOW_SECONDS) -> list[Window]:
    """Return the load stretch by stretch; samples are counted where they began."""
    if not samples:
        return []
    began = min(sample.at for sample in samples)
    stretches: dict[int, list[Sample]] = {}
    for sample in samples:
        stretches.setdefault(int((sample.at - began) / seconds), []).append(sample)
    return [_window(number * seconds, stretches.get(number, []), seconds) for number in range(max(stretches) + 1)]


def quantile(ascending: Sequence[float], share: float) -> float:
    """Return the value below which this share of all values is; there is one at least."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]


def _window(begin: float, samples: Sequence[Sample], seconds: float) -> Window:
    times = sorted(sample.seconds * 1000 for sample in samples)
    counts = Counter(sample.outcome for sample in samples)
    return Window(
        begin=begin,
        rates={outcome: counts[outcome] / seconds for outcome in Outcome},
        p50_ms=_quantile_or_none(times, 0.50),
        p95_ms=_quantile_or_none(times, 0.95),
    )


def _rate(samples: Sequence[Sample]) -> float | None:
    if not samples:
        return None
    seconds = max(sample.at + sample.seconds for sample in samples) - min(sample.at for sample in samples)
    return round(len(samples) / seconds, 1) if seconds > 0 else None


def _quantile_or_none(ascending: Sequence[float], share: float) -> float | None:
    return round(quantile(ascending, share), 1) if ascending else None
