from dataclasses import replace

import pytest

from doorbuster_operator.decisions.settling import is_ordered, is_settling, settling_seconds, startup_seconds
from doorbuster_operator.model.memory import Change
from doorbuster_operator.model.spec import Assignor
from doorbuster_operator.model.workload import Pod, Workload
from tests.unit.doorbuster_operator.decisions.seeing import LONG_AGO, NOW, memory, pods, seen, spec, workload


def started_after(*seconds: float) -> Workload:
    made = tuple(
        Pod(name=f"pod-{number}", created_at=LONG_AGO, ready_at=LONG_AGO + each, template="a")
        for number, each in enumerate(seconds)
    )
    return Workload(replicas=len(made), ready=len(made), pods=made)


def changed(seconds_ago: float, *, rate: float = 20.0) -> Change:
    return Change(at=NOW - seconds_ago, before=1, after=2, rate=rate)


@pytest.mark.parametrize(
    ("seconds", "startup"),
    [
        ((), 15.0),
        ((2.0,), 5.0),
        ((8.0, 9.0), 9.0),
        ((8.0,) * 9 + (60.0,), 8.0),
        ((3_600.0,), 15.0),
        ((3_600.0, 8.0), 8.0),
    ],
    ids=["unknown", "very fast", "slowest of two", "nine of ten", "came back after a failure", "not all came back"],
)
def test_startup_is_what_nine_of_ten_pods_took(seconds: tuple[float, ...], startup: float) -> None:
    assert startup_seconds(started_after(*seconds)) == startup


def test_a_change_settles_for_start_rebalance_commit_and_scrape() -> None:
    assert settling_seconds(seen(1)) == 10 + 3 + 1 + 5
    assert settling_seconds(seen(1, spec=spec(assignor=Assignor.RANGE, commit_interval=4))) == 10 + 5 + 4 + 5


@pytest.mark.parametrize(("seconds_ago", "settling"), [(0, True), (18, True), (19, False), (500, False)])
def test_a_change_is_settling_until_its_effect_shows(seconds_ago: float, *, settling: bool) -> None:
    assert is_settling(seen(2, memory=memory(last_change=changed(seconds_ago)))) is settling


@pytest.mark.parametrize(("ready_ago", "settling"), [(9, False), (8, True)])
def test_pods_that_started_faster_than_others_before_settle_sooner(ready_ago: float, *, settling: bool) -> None:
    # The first pod took 100 s, for its image; the new one 3 s.
    first = Pod(name="first", created_at=LONG_AGO, ready_at=LONG_AGO + 100, template="a")
    new = Pod(name="new", created_at=NOW - ready_ago - 3, ready_at=NOW - ready_ago, template="a")
    both = Workload(replicas=2, ready=2, pods=(first, new))

    assert is_settling(seen(workload=both, memory=memory(last_change=changed(ready_ago + 4)))) is settling


def test_pods_that_started_slower_than_others_before_settle_later() -> None:
    new = Pod(name="new", created_at=NOW - 60, ready_at=NOW - 5, template="a")
    both = Workload(replicas=2, ready=2, pods=(*pods(1), new))

    assert is_settling(seen(workload=both, memory=memory(last_change=changed(60))))


def test_a_pod_that_failed_long_after_its_start_does_not_settle_again() -> None:
    back = Pod(name="back", created_at=NOW - 300, ready_at=NOW - 2, template="a")
    both = Workload(replicas=2, ready=2, pods=(*pods(1), back))

    assert not is_settling(seen(workload=both, memory=memory(last_change=changed(300))))


def test_nothing_settles_that_never_changed() -> None:
    assert not is_settling(seen(2))


def test_replicas_that_are_not_ready_are_settling() -> None:
    late = memory(last_change=changed(60))

    assert is_settling(seen(2, workload=workload(2, ready=1), memory=late))


def test_replicas_that_never_become_ready_settle_in_the_end() -> None:
    long_since = memory(last_change=changed(121))

    assert not is_settling(seen(2, workload=workload(2, ready=1), memory=long_since))


def test_pods_of_a_roll_out_are_settling_though_nothing_was_ordered() -> None:
    rolling = Workload(replicas=2, ready=2, pods=pods(2, starting=1))

    assert is_settling(seen(2, workload=rolling, memory=memory(disturbed_at=NOW - 119)))


def test_pods_that_come_and_go_long_after_every_change_hold_nothing_up() -> None:
    churning = Workload(replicas=2, ready=2, pods=pods(2, starting=1))
    long_since = memory(disturbed_at=NOW - 120, last_change=changed(300))

    assert not is_settling(seen(2, workload=churning, memory=long_since))


def test_ordered_pods_that_still_start_are_settling() -> None:
    starting = Workload(replicas=2, ready=1, pods=pods(1, starting=1))

    assert is_settling(seen(2, workload=starting, memory=memory(disturbed_at=LONG_AGO, last_change=changed(119))))


def test_a_pod_that_leaves_is_not_waited_for() -> None:
    leaving = replace(pods(0, starting=1)[0], leaving=True)

    assert not is_settling(seen(2, workload=Workload(replicas=2, ready=2, pods=(*pods(2), leaving))))


@pytest.mark.parametrize(
    ("seconds_ago", "load", "ordered"), [(10, 20.0, True), (10, 23.0, True), (10, 23.1, False), (200, 20.0, False)]
)
def test_the_same_load_give_or_take_is_what_was_ordered_for(seconds_ago: float, load: float, *, ordered: bool) -> None:
    assert is_ordered(seen(2, memory=memory(last_change=changed(seconds_ago))), load) is ordered


def test_nothing_was_ordered_without_a_change() -> None:
    assert not is_ordered(seen(2), 20.0)
