"""A whole run: the load, then the platform brought back whatever happened, then the auditor, then the verdict."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from rich.console import Console
from rich.markup import escape

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import end_running_programs
from doorbuster_cluster.progress import Progress
from loadtests.errors import LoadTestError
from loadtests.reports.audit import Audit
from loadtests.rig.errors import reason_of
from loadtests.rig.interrupts import Interrupts
from loadtests.rig.tidying import Tidy, tidy
from loadtests.trials import caching, coupons, order_ramp, points_and_orders
from loadtests.trials.catalogue import Name
from loadtests.trials.plan import Plan
from loadtests.trials.ports import Ground
from loadtests.trials.results import show_results, summary_of, write_results
from loadtests.trials.steps import Trial, drain

COULD_NOT_RUN = 2
INTERRUPTED = 130
# A second Ctrl-C reaches the helm that we run as well, and ends it; the next try finds its release unfinished.
RESTORE_TRIES = 3
NOT_RESTORED = "type `make up`: it switches the caches on"

SCENARIOS: Mapping[Name, Callable[[Trial], None]] = MappingProxyType(
    {
        Name.S1: points_and_orders.carry_out,
        Name.S3_SMOKE: coupons.smoke,
        Name.S3_SPIKE: coupons.spike,
        Name.S4: order_ramp.carry_out,
        Name.S5: caching.carry_out,
    }
)


def rehearse(plan: Plan, ground: Ground, console: Console, *, progress: Progress, interrupts: Interrupts) -> int:
    """Carry a scenario out, bring the platform back, ask the auditor, and show what was found out.

    Args:
        plan: the run.
        ground: the platform.
        console: where a person reads.
        progress: the same, step by step.
        interrupts: Ctrl-C and SIGTERM; they are watched already.

    Returns:
        What the process ends with.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    for file in plan.of_a_run():
        file.unlink(missing_ok=True)
    started_at = datetime.now(UTC)
    trial = Trial(plan=plan, ground=ground, progress=progress)
    try:
        error = _carried_out(trial, interrupts)
    except KeyboardInterrupt:
        # The only one that there is, between the last step and the first word of the clean-up.
        error = ""
    finally:
        problems = _brought_back(trial, interrupts)
    if interrupts.ended_run:
        _say(console, problems)
        console.print("interrupted: the run shows nothing", highlight=False)
        return INTERRUPTED
    audit, refused = (None, "") if error else _audited(trial, interrupts)
    problems = [each for each in (error, *problems, refused) if each]
    return _told(trial, console, started_at, audit=audit, problems=problems)


def _carried_out(trial: Trial, interrupts: Interrupts) -> str:
    """Return why the scenario was not carried out to its end; empty when it was."""
    try:
        SCENARIOS[trial.plan.name](trial)
    except KeyboardInterrupt:
        end_running_programs()
    except (ClusterError, LoadTestError) as exc:
        return reason_of(exc)
    finally:
        interrupts.clean("the platform is brought back")
    return ""


def _brought_back(trial: Trial, interrupts: Interrupts) -> list[str]:
    """Return what could not be brought back; empty when all is as before."""
    steps = []
    if trial.changed:
        what = "caches on, as `make up` left it"
        steps.append(Tidy(what=what, do=trial.ground.restore, tries=RESTORE_TRIES, hint=NOT_RESTORED))
    if trial.loaded:
        steps.append(Tidy(what="no lag, empty outbox, no open saga", do=lambda: drain(trial)))
    return tidy(steps, progress=trial.progress, interrupts=interrupts)


def _audited(trial: Trial, interrupts: Interrupts) -> tuple[Audit | None, str]:
    """Return the auditor's report, or why there is none."""
    interrupts.clean("the auditor looks at everything")
    try:
        with trial.progress.step("the auditor looks at everything"):
            return trial.ground.audit(), ""
    except (ClusterError, LoadTestError) as exc:
        return None, reason_of(exc)


def _told(trial: Trial, console: Console, started_at: datetime, *, audit: Audit | None, problems: list[str]) -> int:
    _say(console, problems)
    if not trial.found.measurements:
        return COULD_NOT_RUN
    summary = summary_of(trial, started_at=started_at, audit=audit)
    unwritten = write_results(trial, summary)
    show_results(summary, trial.plan.folder, console)
    _say(console, unwritten)
    return COULD_NOT_RUN if problems or unwritten else summary.verdict.exit_code


def _say(console: Console, problems: list[str]) -> None:
    for problem in problems:
        console.print(f"[red]error:[/] {escape(problem)}", highlight=False, soft_wrap=True)
