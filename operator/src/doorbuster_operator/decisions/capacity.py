"""How much one consumer can do, learned from its own counters (P18)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from doorbuster_operator.decisions.batch_cost import Batches, fit_cost, ordinary
from doorbuster_operator.decisions.membership import live_pods
from doorbuster_operator.decisions.series import clean
from doorbuster_operator.model.capacity import Capacity, CapacitySource, Work
from doorbuster_operator.model.samples import PodSamples, Series
from doorbuster_operator.model.spec import ScalerSpec

HISTORY_SECONDS = 300.0
LATELY_SECONDS = 30.0
HALF_LIFE_SECONDS = 60.0
"""What is a minute old counts half: messages that got heavier show soon, and sizes of earlier still help the fit."""
FEWEST_INTERVALS = 3
FEWEST_BATCHES = 5
TELLING_BATCHES = 5.0
"""An interval with fewer batches counts less. More don't count more, or the time when batches were fast would win."""
TELLING_SPREAD = 0.1
"""Sizes that differ less are one size: a and b can't be told apart."""
TOLERATED_ERROR = 0.1
"""A full batch's cost that is more uncertain is not known."""
TELLING_FILL = 0.5
"""With batches emptier than this, a lower bound of the capacity is far from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """What a consumer counted between two samples; time stamps in seconds since 1970."""

    begin: float
    end: float
    batches: float
    records: float
    busy_seconds: float


def measure_work(pods: Mapping[str, PodSamples], *, now: float, scrape_seconds: float, since: float) -> Work:
    """Return what consumers say about their batches.

    With one size of batches, `capacity` is records ÷ busy seconds: right when they are full, since then a batch at the
    limit is just what was measured, and a lower bound otherwise.

    Args:
        pods: of one pod template, by name; another one may have another capacity.
        now: in seconds since 1970.
        scrape_seconds: time between two samples of a series.
        since: nothing earlier counts, in seconds since 1970.
    """
    begin = max(since, now - HISTORY_SECONDS)
    live = live_pods(pods, now=now, scrape_seconds=scrape_seconds)
    counts = {name: tuple(_counted(pod, begin)) for name, pod in pods.items()}
    lately = {
        name: [each for each in counts[name] if each.begin >= now - LATELY_SECONDS - scrape_seconds] for name in live
    }
    limit = _limit(live or pods, begin)
    capacity, one_size = (None, False) if limit is None else _capacity(_seen(counts, now), limit)
    return Work(capacity=capacity, one_size=one_size, fill=_fill(lately, limit), busy=_busy(lately))


def best_capacity(
    work: Work, spec: ScalerSpec, remembered: Capacity | None, *, template: str, now: float
) -> Capacity | None:
    """Return the best figure there is for a replica's capacity; None when there is none.

    What was measured goes before what was learned, and that before the hint. A mere lower bound says only that it is
    not less: it doesn't replace a higher figure. A new pod template forgets what was learned of another one; without
    pods the template isn't known, and what was learned is believed.

    Args:
        work: what consumers say now.
        spec: for the hint.
        remembered: the last that was measured.
        template: of the newest ready pod; empty when there is no pod.
        now: in seconds since 1970.
    """
    known = _known(spec, remembered, template=template, now=now)
    if work.capacity is None:
        return known
    is_bound = work.one_size and (work.fill is None or work.fill < TELLING_FILL)
    if is_bound and known is not None and known.records_per_second >= work.capacity:
        return known
    return Capacity(records_per_second=work.capacity, source=CapacitySource.MEASURED, at=now, template=template)


def _known(spec: ScalerSpec, remembered: Capacity | None, *, template: str, now: float) -> Capacity | None:
    if remembered is not None and template in {"", remembered.template}:
        return replace(remembered, source=CapacitySource.LEARNED)
    if spec.capacity_hint is None:
        return None
    return Capacity(records_per_second=spec.capacity_hint, source=CapacitySource.HINT, at=now, template="")


def _counted(pod: PodSamples, begin: float) -> Iterator[_Counts]:
    """Yield what was counted between any two samples. All counters of a pod are scraped at once."""
    batches, records, busy = (dict(clean(series)) for series in (pod.batches, pod.records, pod.busy_seconds))
    times = [at for at in batches if at >= begin and at in records and at in busy]
    for earlier, later in pairwise(times):
        before = (batches[earlier], records[earlier], busy[earlier])
        after = (batches[later], records[later], busy[later])
        if any(now < then for then, now in zip(before, after, strict=True)):
            before = (0.0, 0.0, 0.0)  # the process began anew, and counts from 0
        counted = [now - then for then, now in zip(before, after, strict=True)]
        yield _Counts(begin=earlier, end=later, batches=counted[0], records=counted[1], busy_seconds=counted[2])


def _seen(counts: Mapping[str, Sequence[_Counts]], now: float) -> Sequence[tuple[_Counts, Batches]]:
    return [
        (
            each,
            Batches(
                size=each.records / each.batches,
                seconds=each.busy_seconds / each.batches,
                weight=min(1.0, each.batches / TELLING_BATCHES) * 0.5 ** ((now - each.end) / HALF_LIFE_SECONDS),
            ),
        )
        for pod in counts.values()
        for each in pod
        if each.batches > 0 and each.records > 0 and each.busy_seconds > 0
    ]


def _capacity(seen: Sequence[tuple[_Counts, Batches]], limit: float) -> tuple[float | None, bool]:
    """Return the capacity in records a second, None while it can't be fitted, and whether there was but one size."""
    if len(seen) < FEWEST_INTERVALS or sum(counts.batches for counts, _ in seen) < FEWEST_BATCHES:
        return None, False
    cost = fit_cost(ordinary([batches for _, batches in seen]))
    certain = cost.error_at(limit) <= TOLERATED_ERROR * cost.at(limit)
    if cost.spread >= TELLING_SPREAD and certain:
        return limit / cost.at(limit), False
    return cost.size / cost.seconds, True


def _limit(pods: Mapping[str, PodSamples], begin: float) -> float | None:
    """Return the most records in a batch; the smallest while consumers differ."""
    known = [clean(pod.batch_limit) for pod in pods.values()]
    return min((series[-1].value for series in known if series and _says(series, begin)), default=None)


def _says(series: Series, begin: float) -> bool:
    return series[-1].at >= begin and series[-1].value > 0


def _fill(lately: Mapping[str, Sequence[_Counts]], limit: float | None) -> float | None:
    counted = [each for pod in lately.values() for each in pod]
    batches = sum(each.batches for each in counted)
    return sum(each.records for each in counted) / (batches * limit) if batches and limit else None


def _busy(lately: Mapping[str, Sequence[_Counts]]) -> float | None:
    """Return the busiest consumer's share; a batch that ends is counted whole, so it may be a little above 1."""
    shares = [sum(each.busy_seconds for each in pod) / (pod[-1].end - pod[0].begin) for pod in lately.values() if pod]
    return min(1.0, max(shares)) if shares else None
