"""Runs tasks that need one another, as many beside each other as their lanes allow."""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from queue import Empty, SimpleQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work.

    Attributes:
        name: unique among the tasks that run together.
        run: does the work; its exception stops everything that has not begun.
        needs: names of tasks that have to be finished before.
        lane: tasks of one lane run one after the other, in the order given.
    """

    name: str
    run: Callable[[], None]
    lane: str
    needs: frozenset[str] = frozenset()


LOOK_SECONDS = 1.0
# Name of each task that has ended, and its exception.
Ended = SimpleQueue[tuple[str, BaseException | None]]


def run_tasks(tasks: Sequence[Task]) -> None:
    """Run every task once, each after what it needs, at most one at a time in each lane.

    When a task fails, those already running are waited for, nothing else begins, and the first exception is raised.
    Ctrl-C waits for none: what runs is left behind, and ends with this process unless it is detached.

    Raises:
        graphlib.CycleError: tasks need each other in a circle.
        ValueError: a task needs one that isn't there.
    """
    by_name = {task.name: task for task in tasks}
    _check_needs(by_name)
    order = TopologicalSorter({task.name: task.needs for task in tasks})
    order.prepare()
    ready: list[str] = []
    running: set[str] = set()
    ended: Ended = SimpleQueue()
    failures: list[BaseException] = []
    while order.is_active():
        ready += order.get_ready()
        if not failures:
            for task in _take_startable(by_name, ready, running):
                # A daemon, because Python waits for all others before it exits.
                threading.Thread(target=_run, args=(task, ended), daemon=True).start()
        if not running:
            break
        name, error = _next_of(ended)
        running.remove(name)
        if error is None:
            order.done(name)
        else:
            failures.append(error)
    if failures:
        raise failures[0]


def _next_of(ended: Ended) -> tuple[str, BaseException | None]:
    """Return the next task that ended, and its error if there was one."""
    while True:
        # A signal that comes just before a wait begins is handled after that wait.
        with contextlib.suppress(Empty):
            return ended.get(timeout=LOOK_SECONDS)


def _check_needs(by_name: Mapping[str, Task]) -> None:
    for task in by_name.values():
        if missing := task.needs - by_name.keys():
            raise ValueError(f"task {task.name!r} needs {sorted(missing)}, which isn't among the tasks")


def _take_startable(by_name: Mapping[str, Task], ready: list[str], running: set[str]) -> list[Task]:
    """Return what is ready in lanes that are free; moves it from `ready` to `running`."""
    position = {name: index for index, name in enumerate(by_name)}
    busy = {by_name[name].lane for name in running}
    taken = []
    for name in sorted(ready, key=position.__getitem__):
        task = by_name[name]
        if task.lane not in busy:
            busy.add(task.lane)
            ready.remove(name)
            running.add(name)
            taken.append(task)
    return taken


def _run(task: Task, ended: Ended) -> None:
    try:
        task.run()
    except BaseException as exc:  # noqa: BLE001  # run_tasks raises it
        ended.put((task.name, exc))
    else:
        ended.put((task.name, None))
