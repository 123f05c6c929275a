"""What would have to be known before anything may be concluded, and isn't (P17)."""

from collections.abc import Iterator, Mapping

from doorbuster_operator.decisions.series import FRESH_SCRAPES, clean, is_fresh
from doorbuster_operator.model.flow import Missing
from doorbuster_operator.model.samples import GroupSamples, Partition, Series
from doorbuster_operator.model.spec import ScalerSpec

NAMED = 3
"""So many things that are missing are named; the rest is counted."""


def what_is_missing(
    samples: GroupSamples, spec: ScalerSpec, *, now: float, scrape_seconds: float, may_be_new: bool = False
) -> Missing | None:
    """Return what isn't known of the offsets of a group; None when everything is.

    A committed offset that was there and vanished is missing. One that never was is not: the group hasn't begun with
    that partition, and all of it waits. But a group without any that isn't known to have members can't be read.

    Args:
        samples: of the group's last five minutes.
        spec: for the topics and the commit interval.
        now: in seconds since 1970.
        scrape_seconds: time between two samples of a series.
        may_be_new: nobody can be in the group, so Kafka may not know it yet.
    """
    found = [
        *_unknown_topics(samples, spec),
        *_old_offsets(samples, spec, now=now, scrape_seconds=scrape_seconds),
        *_hidden_commits(samples, before=now - FRESH_SCRAPES * scrape_seconds - spec.commit_interval),
        *(() if may_be_new else _unknown_group(samples, now=now, scrape_seconds=scrape_seconds)),
    ]
    if not found:
        return None
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return Missing(why=f"not known: {', '.join(found[:NAMED])}{more}")


def places_of(samples: GroupSamples, spec: ScalerSpec) -> tuple[Partition, ...]:
    """Return the partitions of the spec's topics, also one that has no samples while one with a higher number has."""
    known = {*samples.ends, *samples.oldest, *samples.committed}
    counts = {
        topic: 1 + max((each.number for each in known if each.topic == topic), default=-1) for topic in spec.topics
    }
    return tuple(Partition(topic, number) for topic, count in counts.items() for number in range(count))


def _unknown_topics(samples: GroupSamples, spec: ScalerSpec) -> Iterator[str]:
    known = {place.topic for place in places_of(samples, spec)}
    yield from (f"all offsets of topic {topic}" for topic in spec.topics if topic not in known)


def _old_offsets(samples: GroupSamples, spec: ScalerSpec, *, now: float, scrape_seconds: float) -> Iterator[str]:
    for place in places_of(samples, spec):
        committed = clean(samples.committed.get(place, ()))
        needed: Mapping[str, Series] = {
            "end": clean(samples.ends.get(place, ())),
            "oldest offset": clean(samples.oldest.get(place, ())),
            **({"committed offset": committed} if committed else {}),
        }
        for name, series in needed.items():
            if not is_fresh(series, now=now, scrape_seconds=scrape_seconds):
                yield f"the {name} of {place.topic}/{place.number} ({_age(series, now)})"


def _age(series: Series, now: float) -> str:
    if not series:
        return "no sample"
    seconds = now - series[-1].at
    return f"last sample {seconds:.0f} s ago" if seconds >= 0 else f"last sample {-seconds:.0f} s ahead of our clock"


def _hidden_commits(samples: GroupSamples, *, before: float) -> Iterator[str]:
    """Yield a reason when consumers finished batches before that time, and Kafka shows no commit of the group."""
    if _has_commits(samples):
        return
    if any(at < before and value > 0 for pod in samples.pods.values() for at, value in clean(pod.batches)):
        yield "all committed offsets, though the consumers finish batches"


def _unknown_group(samples: GroupSamples, *, now: float, scrape_seconds: float) -> Iterator[str]:
    members = clean(samples.members)
    if not _has_commits(samples) and not is_fresh(members, now=now, scrape_seconds=scrape_seconds):
        yield f"all committed offsets, and the group's members ({_age(members, now)})"


def _has_commits(samples: GroupSamples) -> bool:
    return any(clean(series) for series in samples.committed.values())
