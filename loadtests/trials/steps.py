"""What all scenarios do: wait for rest, offer a load, wait until it is quiet, read what became of the orders."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import REPOSITORY
from loadtests.arrivals import Arrivals
from loadtests.checks.listing import list_orders
from loadtests.checks.orders import OrdersByUser
from loadtests.checks.own import balances_of
from loadtests.config import LoadPlan
from loadtests.reports.limits import Check, Subject, at_most
from loadtests.reports.measurements import Measurement, Sample, measure, samples_of
from loadtests.rig import load
from loadtests.rig.errors import NotReached
from loadtests.rig.supplies import Supplies, TopUp
from loadtests.rig.waiting import wait_until_none
from loadtests.trials.plan import Plan
from loadtests.trials.ports import Ground
from loadtests.witness import Attempt, Call

LOCUSTFILES = REPOSITORY / "loadtests" / "locustfiles"
# After another run, or after `make up`: replicas are taken away after two minutes.
REST_SECONDS = 420.0
QUIET_SECONDS = 600.0
NOT_AT_REST = "look at `make status`; `make diagnose` collects what there is to know"
# 500 shoppers take some seconds; 20,000 of them some minutes.
LIST_SECONDS = 1_200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Requests that are drawn together, over their time.

    Attributes:
        name: which requests.
        samples: all of them, in the order in which they began.
    """

    name: str
    samples: Sequence[Sample]


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a run has found out so far.

    Attributes:
        settings: what the load was, by name.
        checks: each figure with its limit.
        measurements: by kind of request.
        stretches: what is drawn over time.
        lag: the most lag of any consumer group, at seconds since 1970.
        remarks: what else a reader should know, in sentences.
    """

    settings: dict[str, int | float | str] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    lag: Sequence[tuple[float, float]] = ()
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Trial:
    """One run: what it is, where, and what it has found out so far.

    Attributes:
        loaded: whether something of this run may still be under way.
        changed: whether the applications' release may differ from what `make up` left.
        quiet_seconds: how long the platform may work on what it was given.
    """

    plan: Plan
    ground: Ground
    progress: Progress
    found: Findings = field(default_factory=Findings)
    loaded: bool = False
    changed: bool = False
    quiet_seconds: float = field(default_factory=lambda: QUIET_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A load that was offered.

    Attributes:
        arrivals: what became of them.
        began: when the first request was sent, in seconds since 1970.
    """

    arrivals: Arrivals
    began: float


def check(trial: Trial) -> None:
    """Look for what doesn't go away by waiting, and wait until the rest has; raises a ClusterError."""
    with trial.progress.step("all releases, no fault, no paused scaler"):
        trial.ground.check()
    rest(trial)


def rest(trial: Trial) -> None:
    """Wait until a load may begin: nothing waits, nothing is missing."""
    with trial.progress.step("everything ready, no lag, empty outbox, no open saga, one replica of stock"):
        wait_until_none(
            trial.ground.restless, within_seconds=REST_SECONDS, what="the platform at rest", hint=NOT_AT_REST
        )


def top_up(trial: Trial, wanted: TopUp) -> Supplies:
    """Make new users, and stock."""
    with trial.progress.step(f"{wanted.users:,} new users, and stock"):
        return trial.ground.top_up(wanted)


def offer(
    trial: Trial,
    plan: LoadPlan,
    *,
    locustfile: Path = load.LOCUSTFILE,
    part: str = "",
    patience_seconds: float = load.LAST_ANSWERS_SECONDS,
    at_end: Callable[[], None] | None = None,
) -> Offered:
    """Offer a load and return when locust has ended.

    Args:
        trial: the run.
        plan: what is offered.
        locustfile: what locust runs.
        part: which part of the run it is, for the files' names.
        patience_seconds: how long after the last arrival locust may take.
        at_end: what is done when the last arrival was sent.

    Raises:
        LoadFailed: it was not carried out.
    """
    trial.loaded = True
    command = load.locust_command(locustfile, csv=trial.plan.locust_csv(part))
    with load.offered(plan, trial.plan.locust_log, command=command) as offering:
        with trial.progress.step("tokens for all users"):
            # A token takes some milliseconds; on two cores somebody else wants the CPU as well.
            began = offering.begin(within_seconds=load.LOGIN_SECONDS + min(plan.users, 50_000) / 50)
        with trial.progress.step(f"load{' ' if part else ''}{part}: {_described(plan)}"):
            offering.wait_for_last_order(began)
            if at_end is not None:
                at_end()
            return Offered(arrivals=offering.finish(within_seconds=patience_seconds), began=began)


def settle(trial: Trial, part: str = "") -> None:
    """Wait until nobody works on anything, and note how long that took; that it isn't reached is a missed figure."""
    name = f"last answer to an idle platform{', ' if part else ''}{part}"
    began, reached = now(), True
    try:
        with trial.progress.step("nobody works on anything"):
            drain(trial)
    except NotReached as exc:
        trial.progress.note(str(exc))
        reached = False
    took = now() - began if reached else None
    trial.found.checks.append(at_most(trial.quiet_seconds, name, took, subject=Subject.PROMISE))


def drain(trial: Trial) -> None:
    """Wait until nobody works on anything.

    Raises:
        NotReached: somebody still does.
    """
    wait_until_none(trial.ground.at_work, within_seconds=trial.quiet_seconds, what="an idle platform", hint=NOT_AT_REST)
    trial.loaded = False


def note(trial: Trial, name: str, tried: Iterable[Attempt | Call]) -> Measurement:
    """Measure requests of one kind, note what they come to, and return it."""
    samples = samples_of(tried)
    measured = measure(name, samples)
    trial.found.measurements.append(measured)
    trial.found.stretches.append(Stretch(name=name, samples=samples))
    return measured


def try_to_wait(trial: Trial, missing: Callable[[], Sequence[str]], *, within_seconds: float, what: str) -> bool:
    """Return whether it was reached; that it wasn't is for the limits to say, and no reason to stop."""
    try:
        wait_until_none(missing, within_seconds=within_seconds, what=what)
    except NotReached as exc:
        trial.progress.note(str(exc))
        return False
    return True


def orders_of(trial: Trial, users: Iterable[int], *, since: datetime | None = None) -> OrdersByUser:
    """Return everybody's orders of this run; raises OrdersUnreadable."""
    wanted = list(users)
    with trial.progress.step(f"read the orders of {len(wanted):,} users"):
        return asyncio.run(list_orders(trial.plan.base_url, wanted, since=since, within_seconds=LIST_SECONDS))


def points_of(trial: Trial, users: Iterable[int]) -> Mapping[int, int]:
    """Return everybody's points; raises ApiUnreadable."""
    wanted = list(users)
    with trial.progress.step(f"read the points of {len(wanted):,} users"):
        return asyncio.run(balances_of(trial.plan.base_url, wanted))


def now() -> float:
    """Return the seconds since 1970."""
    return time.time()


def _described(plan: LoadPlan) -> str:
    seconds = plan.course_seconds
    return "as fast as the shop answers" if seconds is None else f"{seconds:.0f} s"
