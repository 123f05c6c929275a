"""Says what a run has shown (P20): each limit is a check with its value, and the checks together are the verdict.

Nothing that isn't known passes. A loss is a failure on any machine; slowness is one only where the calibration shows
that the machine is fast enough.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import partial

from loadtests.reports.evidence import Calibration, Evidence, Operator
from loadtests.reports.limits import Check, Subject, at_least, at_most, exactly, percent

# All of P20. Shares are in percent.
OFFERED_PERCENT = 98.0
"""Of what is scheduled; fewer, and the load wasn't what it says."""
ACCEPTED_PERCENT = 99.5
"""Of what is offered; of the course, what is told to be sold out counts as well: that is an answer of the business."""
PAID_PERCENT = 95.0
"""Of what is accepted."""
FINAL_SECONDS = 30.0
"""From the last arrival until every order is final and compensated."""
PROMISED_AGE_SECONDS = 10.0
"""What the scaler promises, as reports show it; its own default, and no limit here."""
OLDEST_AGE_SECONDS = 20.0
"""Of any record from the start of the load on: what a scaler needs to see and start is allowed on top."""
START_REPLICAS = 1
FEWEST_PEAK_REPLICAS = 4
"""At the peak, three replicas do just what arrives, and nothing of what has piled up."""
MOST_PEAK_REPLICAS = 6
"""More would be waste, not scaling."""
SCALED_IN_SECONDS = 180.0
"""From the last arrival until there is one replica again."""
PENDING_OFF_PERCENT = 40.0
"""Of what is accepted, when the load ends with the operator off; 56 by arithmetic."""
ONLY_FAILURE = "out-of-stock"
"""The only reason for which an order may fail here, as the API spells it."""


class Verdict(StrEnum):
    """What a run has shown."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_COMPARABLE = "NOT COMPARABLE"
    """The machine can't do this load even without the fault; nothing was lost."""
    FAILED_AS_EXPECTED = "FAILED AS EXPECTED"
    """With the operator off the platform fell behind, as it should; nothing was lost."""
    INTERRUPTED = "INTERRUPTED"
    """Somebody stopped the run; it shows nothing."""

    @property
    def exit_code(self) -> int:
        """Return what the process ends with: 0 only when the run has shown what it is to show."""
        return _EXIT_CODES[self]


# 130: what shells give to a process that Ctrl-C ended.
_EXIT_CODES = {
    Verdict.PASSED: 0,
    Verdict.FAILED: 1,
    Verdict.NOT_COMPARABLE: 3,
    Verdict.FAILED_AS_EXPECTED: 0,
    Verdict.INTERRUPTED: 130,
}


def verdict(evidence: Evidence) -> Verdict:
    """Return what the run has shown."""
    if evidence.interrupted:
        return Verdict.INTERRUPTED
    found = verdict_of(checks(evidence))
    if found is Verdict.PASSED and evidence.operator is Operator.OFF:
        return Verdict.FAILED_AS_EXPECTED
    return found


def verdict_of(found: Iterable[Check]) -> Verdict:
    """Return what checks come to: a broken safety counts first, then a machine that can't be compared."""
    failed = {check.subject for check in found if not check.passed} - {Subject.AIM}
    if Subject.SAFETY in failed:
        return Verdict.FAILED
    if Subject.MACHINE in failed:
        return Verdict.NOT_COMPARABLE
    return Verdict.FAILED if failed else Verdict.PASSED


def checks(evidence: Evidence) -> tuple[Check, ...]:
    """Return all checks that apply, those that the verdict looks at first in front."""
    if evidence.calibration is not None and not comparable(evidence.calibration):
        # The course is left out then, so there is nothing to say about it.
        return (*_safety(evidence), *machine_checks(evidence.calibration))
    expected = _kept_promises if evidence.operator is Operator.ON else _falling_behind
    return (*_safety(evidence), *machine_checks(evidence.calibration), *expected(evidence))


def comparable(calibration: Calibration) -> bool:
    """Return whether the machine does the peak without the fault; else the course would show nothing."""
    return all(check.passed for check in machine_checks(calibration))


def _safety(seen: Evidence) -> Iterator[Check]:
    zero = partial(exactly, 0, subject=Subject.SAFETY)
    yield zero("orders lost", seen.lost)
    yield zero("orders doubled", seen.doubled)
    yield zero("units oversold", seen.oversold)
    yield zero("users with negative points", seen.negative_points)
    yield zero("stock or points that don't fit", seen.misbooked)


def machine_checks(found: Calibration | None) -> Iterator[Check]:
    """Yield what is asked of the calibration; None is one that didn't take place."""
    about = Subject.MACHINE
    offered, accepted = (found.offered, found.accepted) if found else (None, None)
    share = percent(offered, found.scheduled if found else None)
    yield at_least(OFFERED_PERCENT, "calibration: offered of scheduled", share, subject=about)
    yield at_least(ACCEPTED_PERCENT, "calibration: accepted of offered", percent(accepted, offered), subject=about)
    final = found.seconds_until_final if found else None
    yield at_most(FINAL_SECONDS, "calibration: last arrival to all final", final, subject=about)


def _kept_promises(seen: Evidence) -> Iterator[Check]:
    orders, about = seen.orders, Subject.PROMISE
    yield at_least(OFFERED_PERCENT, "offered of scheduled", percent(orders.offered, seen.scheduled), subject=about)
    answered = percent(orders.accepted + orders.sold_out, orders.offered)
    yield at_least(ACCEPTED_PERCENT, "accepted or sold out of offered", answered, subject=about)
    yield at_least(PAID_PERCENT, "paid of accepted", percent(orders.paid, orders.accepted), subject=about)
    yield exactly(0, "pending at the end", orders.pending, subject=about)
    yield from _failures(seen)
    yield at_most(FINAL_SECONDS, "last arrival to all final", seen.seconds_until_final, subject=about)
    yield exactly(0, "failed and not compensated", seen.uncompensated, subject=about)
    yield at_most(OLDEST_AGE_SECONDS, "oldest record age", seen.oldest_age_max_s, subject=about)
    yield from _scaling(seen)


def _failures(seen: Evidence) -> Iterator[Check]:
    about, reasons, hot = Subject.PROMISE, seen.failure_reasons, seen.hot
    others = None if reasons is None else sum(count for reason, count in reasons.items() if reason != ONLY_FAILURE)
    yield exactly(0, f"failed for another reason than {ONLY_FAILURE}", others, subject=about)
    yield exactly(0, "failed on another than the hot product", seen.failed_elsewhere, subject=about)
    name = "units sold of the hot product"
    if hot is None:
        yield Check(subject=about, name=name, value=None, unit="", limit="exactly all that there are", passed=False)
    else:
        # As many as are wanted, if that is fewer than there are.
        yield exactly(min(hot.units, hot.wanted), name, hot.sold, subject=about)
        elsewhere = seen.orders.sold_out - hot.sold_out
        yield exactly(0, "sold out on another than the hot product", elsewhere, subject=about)


def _scaling(seen: Evidence) -> Iterator[Check]:
    about, replicas = Subject.PROMISE, seen.replicas
    yield exactly(START_REPLICAS, "replicas at the start", replicas.start, subject=about)
    yield _most_replicas(replicas.max)
    yield exactly(START_REPLICAS, "replicas at the end", replicas.end, subject=about)
    scaled_in = seen.seconds_until_one_replica
    yield at_most(SCALED_IN_SECONDS, "last arrival to one replica", scaled_in, subject=about)


def _most_replicas(most: int | None) -> Check:
    return Check(
        subject=Subject.PROMISE,
        name="most replicas",
        value=most,
        unit="",
        limit=f"{FEWEST_PEAK_REPLICAS} to {MOST_PEAK_REPLICAS}",
        passed=most is not None and FEWEST_PEAK_REPLICAS <= most <= MOST_PEAK_REPLICAS,
    )


def _falling_behind(seen: Evidence) -> Iterator[Check]:
    about, orders, replicas = Subject.FAILURE, seen.orders, seen.replicas
    # Else it is something else that fails: too little load, a shop that takes no orders, a scaler that wasn't paused.
    yield at_least(OFFERED_PERCENT, "offered of scheduled", percent(orders.offered, seen.scheduled), subject=about)
    answered = percent(orders.accepted + orders.sold_out, orders.offered)
    yield at_least(ACCEPTED_PERCENT, "accepted or sold out of offered", answered, subject=about)
    yield exactly(START_REPLICAS, "fewest replicas", replicas.min, subject=about)
    yield exactly(START_REPLICAS, "most replicas", replicas.max, subject=about)
    share = percent(seen.pending_at_load_end, orders.accepted)
    yield at_least(PENDING_OFF_PERCENT, "pending when the load ended", share, subject=about)
