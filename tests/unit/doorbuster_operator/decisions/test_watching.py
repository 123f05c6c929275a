from dataclasses import replace

import pytest

from doorbuster_operator.decisions.watching import watched
from doorbuster_operator.model.memory import Change, ForeignChange, Recommendation
from doorbuster_operator.model.workload import Workload
from tests.unit.doorbuster_operator.decisions.seeing import LONG_AGO, NOW, memory, pods, seen


def looked(seconds_ago: float) -> tuple[Recommendation, ...]:
    return (Recommendation(at=NOW - seconds_ago, replicas=1),)


@pytest.mark.parametrize(
    ("seconds_ago", "scrape", "since"),
    [
        (15, 5.0, LONG_AGO),
        (15.1, 5.0, NOW),
        (3, 1.0, LONG_AGO),
        (45, 15.0, LONG_AGO),
        (45.1, 15.0, NOW),
        (-60, 5.0, NOW),
    ],
    ids=["three ticks", "a gap", "short ticks", "long ticks", "longer than long ticks", "the clock went back"],
)
def test_a_window_begins_anew_after_a_gap(seconds_ago: float, scrape: float, since: float) -> None:
    before = memory(recommendations=looked(seconds_ago), idle_since=LONG_AGO, late_since=NOW - 60)

    after = watched(seen(memory=before, scrape_seconds=scrape))

    assert after.watching_since == since
    assert after.idle_since == (LONG_AGO if since == LONG_AGO else None)
    assert after.late_since == NOW - 60


def test_a_process_that_could_not_look_since_it_began_has_seen_nothing() -> None:
    assert watched(seen(memory=memory(watching_since=NOW - 200))).watching_since == NOW


def test_times_of_the_future_are_now() -> None:
    change = Change(at=NOW + 600, before=1, after=2, rate=20.0)
    ahead = memory(
        watching_since=NOW + 600,
        last_change=change,
        foreign=ForeignChange(at=NOW + 600, replicas=2),
        disturbed_at=NOW + 600,
        late_since=NOW + 600,
        unassigned_since=NOW + 600,
    )

    after = watched(seen(memory=ahead))

    assert after.last_change == replace(change, at=NOW)
    assert after.foreign == ForeignChange(at=NOW, replicas=2)
    assert {after.watching_since, after.disturbed_at, after.late_since, after.unassigned_since} == {NOW}


def rolling(*templates: str) -> Workload:
    made = tuple(replace(pods(1)[0], name=each, template=each) for each in templates)
    return Workload(replicas=2, ready=2, pods=made)


@pytest.mark.parametrize(
    ("templates", "at"),
    [(("a", "b"), NOW - 500), (("b",), NOW - 500), ((), NOW - 500), (("a", "c"), NOW)],
    ids=["the same", "one is gone", "no pods", "a new one"],
)
def test_a_new_pod_template_is_a_change(templates: tuple[str, ...], at: float) -> None:
    before = memory(templates=frozenset({"a", "b"}), disturbed_at=NOW - 500)

    after = watched(seen(memory=before, workload=rolling(*templates)))

    assert after.disturbed_at == at
    assert after.templates == (frozenset(templates) or before.templates)


def test_the_first_look_is_a_change() -> None:
    assert watched(seen(workload=rolling())).disturbed_at == NOW
