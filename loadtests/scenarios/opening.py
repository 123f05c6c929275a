"""Open arrivals: each is begun at its moment, whatever became of those before it.

A generator that waits for answers slows down with the shop and hides its trouble. This one can't: only when it is too
slow itself, or too many orders are under way, is an arrival left out, and then it is counted.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import gevent
import structlog
from gevent.pool import Pool

from loadtests.arrivals import Arrivals, arrivals_path, write_arrivals
from loadtests.config import OpenLoad
from loadtests.scenarios.answers import LONGEST_PAUSE_SECONDS, MOST_TRIES
from loadtests.shapes.stages import Course

# After an interrupt nobody waits for answers; the greenlets only need to write that they were cut off.
INTERRUPT_SECONDS = 1.0

Act = Callable[[], object]
"""What an arrival does."""

log = structlog.get_logger()


class Opening:
    """Begins arrivals, each in a greenlet of its own, and counts what became of them."""

    def __init__(self, scheduled: int, *, most_in_flight: int, latest_start_seconds: float) -> None:
        """Begin the time: the course's first moment is now.

        Args:
            scheduled: how many arrivals there will be.
            most_in_flight: how many may be under way at once.
            latest_start_seconds: how long after its moment an arrival may still begin.
        """
        self._pool = Pool(most_in_flight)
        self._latest_start_seconds = latest_start_seconds
        self._began = time.monotonic()
        self.arrivals = Arrivals(started_at=time.time(), scheduled=scheduled)

    def carry_out(self, acts: Iterable[tuple[float, Act]]) -> None:
        """Begin all arrivals at their moments; return when the last one was begun.

        Args:
            acts: the moments, in seconds after the first, ascending, and what to do then.
        """
        for moment, act in acts:
            gevent.sleep(max(0.0, moment - self._passed()))
            # Where nobody may be added, waiting is bounded too: the next arrival's moment comes.
            rest = max(0.0, self._latest_start_seconds - self._late(moment))
            if self._pool.full() and self._pool.wait_available(timeout=rest) < 1:
                self._count(no_room=1)
            else:
                self._pool.spawn(self._begin, moment, act)

    def close(self, *, within_seconds: float) -> None:
        """Wait for those that are under way, but not longer than given; then cut off the others."""
        self._pool.join(timeout=within_seconds)
        self._count(cut_off=len(self._pool))
        self._pool.kill(timeout=within_seconds)

    def finish(self) -> None:
        """Note that the course was carried out to its end."""
        self.arrivals = replace(self.arrivals, finished=True)

    def _begin(self, moment: float, act: Act) -> None:
        late = self._late(moment)
        if late > self._latest_start_seconds:
            self._count(too_late=1)
            return
        latest = max(late, self.arrivals.latest_seconds)
        self.arrivals = replace(self.arrivals, begun=self.arrivals.begun + 1, latest_seconds=latest)
        act()

    def _count(self, *, too_late: int = 0, no_room: int = 0, cut_off: int = 0) -> None:
        counted = self.arrivals
        self.arrivals = replace(
            counted,
            too_late=counted.too_late + too_late,
            no_room=counted.no_room + no_room,
            cut_off=counted.cut_off + cut_off,
        )

    def _passed(self) -> float:
        return time.monotonic() - self._began

    def _late(self, moment: float) -> float:
        return self._passed() - moment


def carry_out_open(plan: OpenLoad, course: Course, acts: Iterable[tuple[float, Act]], *, requests: int = 1) -> None:
    """Begin all arrivals of a course at their moments, wait for the last answers, and write what became of them.

    Args:
        plan: what is carried out.
        course: when arrivals come.
        acts: the moments, ascending, and what to do then.
        requests: how many requests one arrival makes, one after the other.
    """
    path = arrivals_path(plan.witness)
    opening = Opening(
        course.scheduled,
        most_in_flight=plan.most_in_flight,
        latest_start_seconds=plan.latest_start_seconds,
    )
    # At once: who watches the run learns when it began.
    write_arrivals(path, opening.arrivals)
    log.info("course_begun", scheduled=course.scheduled, seconds=course.seconds)
    patience = INTERRUPT_SECONDS
    try:
        opening.carry_out(acts)
        opening.finish()
        patience = requests * patience_seconds(plan.timeout_seconds)
    finally:
        opening.close(within_seconds=patience)
        write_arrivals(path, opening.arrivals)
    log.info("course_ended", begun=opening.arrivals.begun, scheduled=opening.arrivals.scheduled)


def patience_seconds(timeout_seconds: float) -> float:
    """Return how long a request may take with all of its repeats."""
    return MOST_TRIES * (timeout_seconds + LONGEST_PAUSE_SECONDS)
