"""The steps of a run, from a platform at rest through calibration, fault and flash sale to the last order's end.

Each step notes what it found; so an interrupted run has found out something, too.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from doorbuster_cluster.progress import Progress
from loadtests.arrivals import Arrivals
from loadtests.checks.listing import list_orders
from loadtests.checks.orders import judge
from loadtests.config import Rush
from loadtests.demo.errors import NotReached, QuestionFailed
from loadtests.demo.gathering import Findings, Lists
from loadtests.demo.load import offered
from loadtests.demo.plan import Plan, Supplies, calibration_rush, course_rush, fault_values
from loadtests.demo.ports import Platform
from loadtests.demo.waiting import wait_until_none
from loadtests.demo.watching import Watch
from loadtests.reports.evidence import Calibration, Operator
from loadtests.reports.timeline import Moment, Phase
from loadtests.witness import Attempt, Outcome, WitnessTail, read_witness

# After another run, or after `make up`: replicas are taken away after two minutes.
REST_SECONDS = 420.0
# The verdict wants 30; what it really took is worth knowing, up to here.
FINAL_SECONDS = 180.0
# The verdict wants 180.
SCALE_IN_SECONDS = 300.0
# Without replicas more than a minute's work is left for each minute of load; the fault is off by then.
DRAIN_SECONDS = 600.0
NOT_AT_REST = "look at `make status`; `make diagnose` collects what there is to know"


@dataclass(slots=True, kw_only=True)
class Run:
    """One run: what it is, where, and what it has found out so far.

    Attributes:
        loaded: whether orders of this run may still be under way.
        changed: whether the applications' release may differ from what `make up` left.
    """

    plan: Plan
    cluster: Platform
    watch: Watch
    progress: Progress
    found: Findings = field(default_factory=Findings)
    loaded: bool = False
    changed: bool = False

    def note(self, text: str) -> None:
        """Show a sentence to the person."""
        self.progress.note(text)


def carry_out(run: Run) -> None:
    """Carry all steps out; whoever calls brings the platform back afterwards.

    Raises:
        ClusterError: a step failed.
        LoadTestError: the same, in a part that knows no cluster.
    """
    rest(run)
    calibrate(run)
    slow_down(run)
    sell(run)
    if run.plan.operator is Operator.ON:
        settle(run)


def rest(run: Run) -> None:
    """Wait until a run may begin (P20): nothing waits, nothing is missing, stock has one replica.

    Raises:
        DemoError: something is in the way that doesn't go away by itself.
        NotReached: it didn't go away in time.
    """
    with run.progress.step("all releases, no fault, no paused scaler"):
        run.cluster.check()
    _wait_for_rest(run)


def _wait_for_rest(run: Run) -> None:
    title = "everything ready, no lag, empty outbox, no open saga, one replica of stock"
    with run.progress.step(title):
        wait_until_none(
            run.cluster.restless, within_seconds=REST_SECONDS, what="the platform at rest", hint=NOT_AT_REST
        )


def calibrate(run: Run) -> None:
    """Offer the peak without a fault for a while: what this machine can't do then, says nothing about the operator."""
    with run.progress.step("new buyers and stock for the calibration"):
        supplies = run.cluster.top_up(hot_units=0)
    rush = calibration_rush(run.plan, supplies)
    run.watch.enter(Phase.CALIBRATION)
    with run.progress.step(f"calibration: {run.plan.peak:g} orders a second for {rush.arrivals.seconds:.0f} s"):
        _offer(run, rush, supplies, calibration=True)
    attempts = list(read_witness(rush.witness))
    until_final = _seconds_until_final(run, supplies, attempts)
    run.found = replace(run.found, calibration=_calibration(rush, attempts, until_final))
    run.watch.enter(Phase.PREPARATION)
    _wait_for_rest(run)


def _calibration(rush: Rush, attempts: Sequence[Attempt], until_final: float | None) -> Calibration:
    return Calibration(
        scheduled=rush.arrivals.scheduled,
        offered=len({attempt.key for attempt in attempts}),
        accepted=len({attempt.key for attempt in attempts if attempt.outcome is Outcome.OK}),
        seconds_until_final=until_final,
    )


def slow_down(run: Run) -> None:
    """Make buyers, stock and the hot product, and then stock slow; with the operator off, pause all scalers."""
    with run.progress.step("new buyers, stock and a hot product"):
        supplies = run.cluster.top_up(hot_units=run.plan.hot_units)
    run.found = replace(run.found, supplies=supplies)
    run.watch.enter(Phase.FAULT)
    paused = ", all scalers paused" if run.plan.operator is Operator.OFF else ""
    with run.progress.step(f"fault: {run.plan.delay_seconds * 1000:.0f} ms for each record of stock{paused}"):
        run.changed = True
        run.cluster.slow_down(fault_values(run.plan))
    # The rollout gave the groups new members.
    _wait_for_rest(run)


def sell(run: Run) -> None:
    """Carry the flash sale out, and note what was pending when its last order had been sent."""
    supplies = _supplies(run)
    rush = course_rush(run.plan, supplies)
    course = rush.arrivals
    try:
        with run.progress.step(f"flash sale: {course.scheduled:,} orders in {course.seconds:.0f} s"):
            _offer(run, rush, supplies, calibration=False)
    finally:
        # Also when it was interrupted: what was accepted by then must not be lost either.
        if rush.witness.exists():
            run.found = replace(run.found, attempts=tuple(read_witness(rush.witness)))


def _offer(run: Run, rush: Rush, supplies: Supplies, *, calibration: bool) -> Arrivals:
    run.loaded = True
    with offered(rush, run.plan.files.locust_log) as load:
        began = load.begin()
        run.watch.follow(WitnessTail(rush.witness), rush.arrivals, began=began, calibration=calibration)
        load.wait_for_last_order(began)
        if not calibration:
            run.watch.enter(Phase.QUIET, "the last answers")
            _note_pending(run, supplies)
        return load.finish()


def _note_pending(run: Run, supplies: Supplies) -> None:
    try:
        pending, _ = run.cluster.unfinished(supplies)
    except QuestionFailed as exc:
        run.note(f"how many orders are pending now isn't known: {exc}")
        return
    run.found = replace(run.found, pending_at_load_end=pending)


def settle(run: Run) -> None:
    """Wait until all orders are final and stock has one replica again, and note how long both took."""
    run.watch.enter(Phase.QUIET, "all orders are to become final and compensated")
    until_final = _seconds_until_final(run, _supplies(run), run.found.attempts)
    run.found = replace(run.found, seconds_until_final=until_final)
    run.watch.enter(Phase.QUIET, "stock is to have one replica again")
    with run.progress.step("one replica of stock again"):
        _try_to_wait(run, lambda: _not_one_replica(run.watch.seen().moments), SCALE_IN_SECONDS, "one replica of stock")
    last = last_arrival(run.found.attempts) - run.watch.began_at.timestamp()
    found = seconds_until_one_replica(run.watch.seen().moments, last_arrival=last)
    run.found = replace(run.found, seconds_until_one_replica=found)


def _not_one_replica(moments: Sequence[Moment]) -> list[str]:
    replicas = next((each.replicas for each in reversed(moments) if each.replicas is not None), None)
    return [] if replicas == 1 else [f"it has {'an unknown number' if replicas is None else replicas}"]


def seconds_until_one_replica(moments: Sequence[Moment], *, last_arrival: float) -> float | None:
    """Return how long after the last arrival the target asked for one replica and kept to it; None if it didn't.

    Args:
        moments: what was seen.
        last_arrival: in seconds since the run began.
    """
    since = None
    for moment in moments:
        if moment.replicas is not None:
            since = None if moment.replicas != 1 else moment.seconds if since is None else since
    return None if since is None else max(0.0, since - last_arrival)


def drain(run: Run) -> None:
    """Wait until nobody works on anything.

    Raises:
        NotReached: somebody still does.
    """
    wait_until_none(run.cluster.at_work, within_seconds=DRAIN_SECONDS, what="an idle platform", hint=NOT_AT_REST)


def judge_orders(run: Run) -> None:
    """Read what became of every order: the buyers' lists, and what only the database knows."""
    supplies = _supplies(run)
    with run.progress.step(f"read the orders of {supplies.users:,} buyers"):
        users = range(supplies.first_user, supplies.last_user + 1)
        lists = asyncio.run(list_orders(run.plan.base_url, users))
    with run.progress.step("ask the database for what was sold and what is left"):
        oversold, negative = run.cluster.oversold(), run.cluster.negative_points()
        _, uncompensated = run.cluster.unfinished(supplies)
    run.found = replace(
        run.found,
        lists=Lists(orders_by_user=lists, judgement=judge(run.found.attempts, lists)),
        oversold=oversold,
        negative_points=negative,
        uncompensated=uncompensated,
    )


def _seconds_until_final(run: Run, supplies: Supplies, attempts: Sequence[Attempt]) -> float | None:
    with run.progress.step("all orders final and compensated"):
        reached = _try_to_wait(
            run, lambda: not_final(*run.cluster.unfinished(supplies)), FINAL_SECONDS, "all orders final and compensated"
        )
    return time.time() - last_arrival(attempts) if reached else None


def not_final(pending: int, uncompensated: int) -> list[str]:
    """Return what is missing until all orders are final and compensated."""
    counted = {"orders PENDING": pending, "FAILED orders to compensate": uncompensated}
    return [f"{count:,} {what}" for what, count in counted.items() if count]


def _try_to_wait(run: Run, missing: Callable[[], Sequence[str]], within_seconds: float, what: str) -> bool:
    """Return whether it was reached; that it wasn't is for the verdict to say, and no reason to stop."""
    try:
        wait_until_none(missing, within_seconds=within_seconds, what=what)
    except NotReached as exc:
        run.note(str(exc))
        return False
    return True


def last_arrival(attempts: Sequence[Attempt]) -> float:
    """Return when the last order was sent for the first time, in seconds since 1970; now when there is none.

    A repeat under the same key is no arrival: it would give the platform more time than there is.
    """
    first: dict[str, float] = {}
    for attempt in attempts:
        first[attempt.key] = min(attempt.at, first.get(attempt.key, attempt.at))
    return max(first.values(), default=time.time())


def _supplies(run: Run) -> Supplies:
    if run.found.supplies is None:
        raise NotReached("nobody has made buyers for this run yet")
    return run.found.supplies
