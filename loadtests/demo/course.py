"""The steps of a run, from a platform at rest through calibration, fault and flash sale to the last order's end.

Each step notes what it found; so an interrupted run has found out something, too.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from doorbuster_cluster.progress import Progress
from loadtests.arrivals import Arrivals
from loadtests.config import Rush
from loadtests.demo.gathering import Findings, calibration_of, seconds_until_one_replica
from loadtests.demo.plan import Plan, calibration_rush, course_rush, fault_values, top_up_of
from loadtests.demo.ports import Platform
from loadtests.demo.watching import Watch
from loadtests.reports.evidence import Operator
from loadtests.reports.timeline import Moment, Phase
from loadtests.reports.verdict import comparable, machine_checks
from loadtests.rig.errors import NotReached, QuestionFailed
from loadtests.rig.load import last_arrival, offered
from loadtests.rig.supplies import Supplies
from loadtests.rig.waiting import answer_of, wait_until_none
from loadtests.witness import Attempt, WitnessTail, read_witness

# After another run, or after `make up`: replicas are taken away after two minutes.
REST_SECONDS = 420.0
# The verdict wants 30; what it really took is worth knowing, up to here.
FINAL_SECONDS = 180.0
# At a peak of 100 one slow replica works off 33 orders a second, of 11,000.
PENDING_WITHIN_SECONDS = 6.0
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

    A calibration that shows that this machine can't do the load is the last step (P20).

    Raises:
        ClusterError: a step failed.
        LoadTestError: the same, in a part that knows no cluster.
    """
    rest(run)
    if not calibrate(run):
        return
    slow_down(run)
    sell(run)
    if run.plan.operator is Operator.ON:
        settle(run)


def rest(run: Run) -> None:
    """Wait until a run may begin (P20): nothing waits, nothing is missing, stock has one replica.

    Raises:
        RigError: something is in the way that doesn't go away by itself.
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


def calibrate(run: Run) -> bool:
    """Offer the peak without a fault for a while: what this machine can't do then, says nothing about the operator.

    Returns:
        Whether this machine is fast enough for the course.
    """
    with run.progress.step("new buyers and stock for the calibration"):
        supplies = run.cluster.top_up(top_up_of(hot_units=0))
    run.found = replace(run.found, calibration_supplies=supplies)
    rush = calibration_rush(run.plan, supplies)
    run.watch.enter(Phase.CALIBRATION)
    with run.progress.step(f"calibration: {run.plan.peak:g} orders a second for {rush.arrivals.seconds:.0f} s"):
        _offer(run, rush, supplies, calibration=True)
    attempts = list(read_witness(rush.witness))
    until_final = _seconds_until_final(run, supplies, attempts)
    found = calibration_of(rush.arrivals.scheduled, attempts, seconds_until_final=until_final)
    run.found = replace(run.found, calibration=found, calibration_attempts=attempts)
    if not comparable(found):
        missed = [f"{each.name} {each.shown}, not {each.limit}" for each in machine_checks(found) if not each.passed]
        run.note(f"too much for this machine, so the course is left out: {'; '.join(missed)}")
        return False
    run.watch.enter(Phase.PREPARATION)
    _wait_for_rest(run)
    return True


def slow_down(run: Run) -> None:
    """Make buyers, stock and the hot product, and then stock slow; with the operator off, pause all scalers."""
    with run.progress.step("new buyers, stock and a hot product"):
        supplies = run.cluster.top_up(top_up_of(hot_units=run.plan.hot_units))
    run.found = replace(run.found, supplies=supplies)
    run.watch.enter(Phase.FAULT)
    paused = ", all scalers paused" if run.plan.operator is Operator.OFF else ""
    with run.progress.step(f"fault: {run.plan.delay_seconds * 1000:.0f} ms for each record of stock{paused}"):
        run.changed = True
        run.cluster.change(fault_values(run.plan))
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
        # Each second that passes makes them fewer, so a late answer is worth less than none.
        pending, _ = answer_of(lambda: run.cluster.unfinished(supplies), within_seconds=PENDING_WITHIN_SECONDS)
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


def drain(run: Run) -> None:
    """Wait until nobody works on anything.

    Raises:
        NotReached: somebody still does.
    """
    wait_until_none(run.cluster.at_work, within_seconds=DRAIN_SECONDS, what="an idle platform", hint=NOT_AT_REST)
    run.loaded = False


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


def _supplies(run: Run) -> Supplies:
    if run.found.supplies is None:
        raise NotReached("nobody has made buyers for this run yet")
    return run.found.supplies
