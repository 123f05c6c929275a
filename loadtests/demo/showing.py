"""What a person sees while a run goes on: a live page on a terminal, now and then a line anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from doorbuster_cluster.progress import Progress
from loadtests.demo.plan import CALIBRATION_SECONDS, Plan
from loadtests.demo.watching import Seen
from loadtests.reports.evidence import OrderCounts
from loadtests.reports.live import LiveView, line, page
from loadtests.reports.timeline import Moment, Phase

LINE_SECONDS = 10.0
# Top-ups, the rollout of the fault, the end: about, on two cores.
REST_OF_A_RUN_SECONDS = 180.0
QUIET_PHASES = frozenset({Phase.PREPARATION})


class Shown:
    """Shows what was seen; the watch's thread calls it after each look."""

    def __init__(self, plan: Plan, *, progress: Progress, live: Live | None) -> None:
        """Take the live page; None means that there is no terminal, and lines are printed."""
        self._plan, self._progress, self._live = plan, progress, live
        self._last_line = 0.0

    def __call__(self, seen: Seen) -> None:
        """Show it."""
        if self._live is not None:
            self._live.update(page(view_of(self._plan, seen)), refresh=True)
        elif seen.phase not in QUIET_PHASES and seen.elapsed_seconds - self._last_line >= LINE_SECONDS:
            self._last_line = seen.elapsed_seconds
            self._progress.note(line(view_of(self._plan, seen)))


@contextmanager
def shown(plan: Plan, console: Console, progress: Progress) -> Iterator[Shown]:
    """Yield what shows a run; the live page stays as it was last when the block ends."""
    if not console.is_terminal:
        yield Shown(plan, progress=progress, live=None)
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        yield Shown(plan, progress=progress, live=live)


def view_of(plan: Plan, seen: Seen) -> LiveView:
    """Return what the live page shows."""
    status = (seen.scaler or {}).get("status", {})
    last = seen.moments[-1] if seen.moments else None
    return LiveView(
        operator=plan.operator,
        phase=seen.phase,
        elapsed_seconds=seen.elapsed_seconds,
        total_seconds=CALIBRATION_SECONDS + plan.course.seconds + REST_OF_A_RUN_SECONDS,
        orders=_orders(seen, last),
        moments=seen.moments,
        reason=status.get("reason"),
        message=status.get("message"),
        decisions=seen.decisions,
        note=seen.note,
    )


def _orders(seen: Seen, last: Moment | None) -> OrderCounts:
    return OrderCounts(
        offered=seen.offered,
        accepted=seen.accepted,
        sold_out=seen.sold_out,
        paid=seen.paid,
        failed=seen.failed,
        pending=last.pending if last else None,
    )
