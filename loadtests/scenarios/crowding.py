"""A crowd of visitors, each a greenlet of its own, and the counts that stand beside the witness."""

import time
from collections.abc import Callable
from dataclasses import replace

import gevent
import structlog
from gevent.pool import Pool

from loadtests.arrivals import Arrivals, arrivals_path, write_arrivals
from loadtests.config import LoadPlan
from loadtests.scenarios.opening import INTERRUPT_SECONDS, patience_seconds
from loadtests.shapes.crowds import Crowd, Stay

Visit = Callable[[], object]
"""What a visitor does once."""

log = structlog.get_logger()


class Attendance:
    """Counts what visitors begin, and tells it to whoever watches. A context manager: the file is whole at its end."""

    def __init__(self, plan: LoadPlan, *, most: int) -> None:
        """Take the load, and how many visitors there are at most; nobody is there yet."""
        self._plan = plan
        self._path = arrivals_path(plan.witness)
        self._pool = Pool(most)
        self._arrivals = Arrivals(started_at=0.0, scheduled=0)
        self._began = 0.0
        self._patience = INTERRUPT_SECONDS

    def __enter__(self) -> "Attendance":
        # At once: who watches the run learns when it began.
        self._began = time.monotonic()
        self._arrivals = replace(self._arrivals, started_at=time.time())
        write_arrivals(self._path, self._arrivals)
        log.info("crowd_begun")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._pool.join(timeout=self._patience)
        # Tries that are cut off write themselves down as unknown.
        cut_off = len(self._pool)
        self._pool.kill(timeout=INTERRUPT_SECONDS)
        self._arrivals = replace(self._arrivals, scheduled=self._arrivals.begun, cut_off=cut_off, finished=kind is None)
        write_arrivals(self._path, self._arrivals)
        log.info("crowd_ended", begun=self._arrivals.begun)

    def count(self) -> None:
        """Note that somebody began something that the witness will tell of."""
        self._arrivals = replace(self._arrivals, begun=self._arrivals.begun + 1)

    def receive(self, crowd: Crowd, visit: Visit, *, think_seconds: float) -> None:
        """Let the crowd come, visit again and again, and leave; return when the last one's time is over.

        A visit is one thing that the witness tells of.
        """
        for stay in crowd.stays():
            self._pool.spawn(self._stay, stay, visit, think_seconds)
        gevent.sleep(max(0.0, crowd.seconds - self._passed()))
        self._patience = patience_seconds(self._plan.timeout_seconds)

    def all_do(self, acts: list[Visit]) -> None:
        """Let everybody do something, and return when all have done it."""
        self._patience = INTERRUPT_SECONDS
        done = [self._pool.spawn(act) for act in acts]
        gevent.joinall(done, raise_error=True)

    def _stay(self, stay: Stay, visit: Visit, think_seconds: float) -> None:
        gevent.sleep(max(0.0, stay.begin - self._passed()))
        late = max(0.0, self._passed() - stay.begin)
        self._arrivals = replace(self._arrivals, latest_seconds=max(late, self._arrivals.latest_seconds))
        # Ends with the stay: every visit takes time, or the thought behind it does.
        while self._passed() < stay.end:
            self.count()
            visit()
            gevent.sleep(think_seconds)

    def _passed(self) -> float:
        return time.monotonic() - self._began
