"""Which consumers have which partitions, by what they say themselves (P14)."""

from collections.abc import Iterator, Mapping, Set

from doorbuster_operator.decisions.series import FRESH_SCRAPES, changed_at, clean, is_fresh
from doorbuster_operator.model.samples import GroupSamples, Partition, PodSamples, Series


def live_pods(pods: Mapping[str, PodSamples], *, now: float, scrape_seconds: float) -> Mapping[str, PodSamples]:
    """Return the pods that were scraped within three scrapes."""
    return {
        name: pod for name, pod in pods.items() if is_fresh(_everything(pod), now=now, scrape_seconds=scrape_seconds)
    }


def assigned_partitions(pods: Mapping[str, PodSamples], *, scrape_seconds: float) -> Set[Partition]:
    """Return the partitions that these pods have.

    A consumer's series of a partition ends when it gives the partition up. All series of a pod are scraped at once, so
    one that ends before the others is of a partition that was given up, however short ago.
    """
    return {place for pod in pods.values() for place in _assigned_to(pod, scrape_seconds=scrape_seconds)}


def _assigned_to(pod: PodSamples, *, scrape_seconds: float) -> Iterator[Partition]:
    newest = max((at for at, _ in _everything(pod)), default=0.0)
    for place, series in pod.assigned.items():
        known = clean(series)
        if known and known[-1].value == 1 and newest - known[-1].at < scrape_seconds / 2:
            yield place


def members_of(samples: GroupSamples, *, now: float, scrape_seconds: float) -> int | None:
    """Return how many members the group has; None when that isn't known."""
    series = clean(samples.members)
    return int(series[-1].value) if is_fresh(series, now=now, scrape_seconds=scrape_seconds) else None


def rebalanced_at(samples: GroupSamples, *, since: float, scrape_seconds: float) -> float | None:
    """Return when an assignment changed last; None when none did within the history.

    Args:
        samples: where no pod says anything, the number of members stands for it.
        since: where the history of the group begins.
        scrape_seconds: a pod whose samples begin so much later, three times, has joined within the history.
    """
    joined_after = since + FRESH_SCRAPES * scrape_seconds
    times = [at for pod in samples.pods.values() for at in _changes(pod, joined_after=joined_after)]
    if not samples.pods:
        times.extend(changed_at(clean(samples.members)))
    return max(times, default=None)


def _changes(pod: PodSamples, *, joined_after: float) -> Iterator[float]:
    rebalances = clean(pod.rebalances)
    yield from changed_at(rebalances)
    if rebalances and rebalances[0].at > joined_after and rebalances[0].value > 0:
        yield rebalances[0].at
    times = [at for at, _ in _everything(pod)]
    for series in map(clean, pod.assigned.values()):
        yield from changed_at(series)
        if series:
            yield from (at for at in (series[0].at,) if at > times[0])
            # Given up at the first sample without it.
            yield from [at for at in times if at > series[-1].at][:1]


def _everything(pod: PodSamples) -> Series:
    """Return the samples of all series of a pod, by time: only their times mean anything."""
    series = (pod.batches, pod.records, pod.busy_seconds, pod.batch_limit, pod.rebalances, *pod.assigned.values())
    return clean(tuple(sample for each in series for sample in each))
