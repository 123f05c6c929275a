import threading
from graphlib import CycleError

import pytest

from doorbuster_cluster.work import Task, run_tasks

PATIENCE_SECONDS = 10.0


class Journal:
    """Notes the order in which tasks began and ended."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self._lock = threading.Lock()

    def task(self, name: str, *, lane: str, needs: frozenset[str] = frozenset()) -> Task:
        def work() -> None:
            self._note(f"begin {name}")
            self._note(f"end {name}")

        return Task(name=name, run=work, lane=lane, needs=needs)

    def _note(self, entry: str) -> None:
        with self._lock:
            self.entries.append(entry)


def failing(name: str, lane: str, error: Exception) -> Task:
    def fail() -> None:
        raise error

    return Task(name=name, run=fail, lane=lane)


def test_no_tasks_are_done_at_once() -> None:
    run_tasks([])


def test_a_task_begins_after_what_it_needs_has_ended() -> None:
    journal = Journal()

    run_tasks(
        [
            journal.task("roof", lane="a", needs=frozenset({"wall"})),
            journal.task("wall", lane="b", needs=frozenset({"ground"})),
            journal.task("ground", lane="c"),
        ]
    )

    assert journal.entries == ["begin ground", "end ground", "begin wall", "end wall", "begin roof", "end roof"]


def test_tasks_of_one_lane_run_one_after_the_other_in_the_order_given() -> None:
    journal = Journal()

    run_tasks([journal.task(name, lane="only") for name in ("third", "first", "second")])

    assert journal.entries == ["begin third", "end third", "begin first", "end first", "begin second", "end second"]


def test_lanes_run_beside_each_other() -> None:
    # Each waits for the other: only both at once can pass.
    meeting = threading.Barrier(2, timeout=PATIENCE_SECONDS)

    run_tasks([Task(name=lane, run=lambda: (meeting.wait(), None)[1], lane=lane) for lane in ("left", "right")])

    assert not meeting.broken


def test_a_ready_task_does_not_wait_for_a_blocked_one_before_it_in_its_lane() -> None:
    journal = Journal()

    run_tasks(
        [
            journal.task("blocked", lane="one", needs=frozenset({"later"})),
            journal.task("free", lane="one"),
            journal.task("later", lane="one"),
        ]
    )

    assert [entry for entry in journal.entries if entry.startswith("begin")] == [
        "begin free",
        "begin later",
        "begin blocked",
    ]


def test_a_failure_is_raised_and_what_needs_it_never_begins() -> None:
    journal = Journal()
    error = RuntimeError("no ground")

    with pytest.raises(RuntimeError, match="no ground") as raised:
        run_tasks([failing("ground", "a", error), journal.task("wall", lane="a", needs=frozenset({"ground"}))])

    assert raised.value is error
    assert journal.entries == []


def test_after_a_failure_nothing_new_begins_but_what_runs_is_waited_for() -> None:
    journal = Journal()
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        raise RuntimeError("broken")

    def outlast() -> None:
        assert failed.wait(PATIENCE_SECONDS)
        journal.entries.append("outlasted")

    with pytest.raises(RuntimeError, match="broken"):
        run_tasks(
            [
                Task(name="long", run=outlast, lane="slow"),
                Task(name="bad", run=fail, lane="fast"),
                journal.task("next", lane="slow"),
                journal.task("after", lane="fast"),
            ]
        )

    assert journal.entries[0] == "outlasted"
    assert "begin after" not in journal.entries


def test_tasks_that_need_each_other_in_a_circle_are_refused() -> None:
    journal = Journal()

    with pytest.raises(CycleError):
        run_tasks(
            [
                journal.task("egg", lane="a", needs=frozenset({"hen"})),
                journal.task("hen", lane="a", needs=frozenset({"egg"})),
            ]
        )

    assert journal.entries == []


def test_a_need_that_no_task_meets_is_refused_before_anything_begins() -> None:
    journal = Journal()

    with pytest.raises(ValueError, match=r"task 'wall' needs \['ground'\], which isn't among the tasks"):
        run_tasks([journal.task("tent", lane="a"), journal.task("wall", lane="a", needs=frozenset({"ground"}))])

    assert journal.entries == []
