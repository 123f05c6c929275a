"""A whole run: the course, then the platform brought back whatever happened, then the verdict."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import end_running_programs
from doorbuster_cluster.progress import Progress
from loadtests.arrivals import arrivals_path
from loadtests.demo.course import Run, carry_out, drain
from loadtests.demo.judging import judge_orders
from loadtests.demo.observation import Look
from loadtests.demo.plan import Plan
from loadtests.demo.ports import Platform
from loadtests.demo.results import show_results, write_results
from loadtests.demo.showing import shown
from loadtests.demo.watching import Watch
from loadtests.errors import LoadTestError
from loadtests.reports.timeline import Phase, TimelineWriter
from loadtests.rig.errors import reason_of
from loadtests.rig.interrupts import Interrupts
from loadtests.rig.tidying import Tidy, tidy

# A second Ctrl-C reaches the helm that we run as well, and ends it; the next try finds its release unfinished.
RESTORE_TRIES = 3
INTERRUPTED = "interrupted"
# Also the programs that we run hear a Ctrl-C.
CLEAN_UP_CUT = ": type `make up`, which brings everything back"
CLEAN_UP_WENT_ON = ", which was carried out all the same, so the verdict stands; in doubt type `make up`"
NOT_RESTORED = "type `make up`: it switches the fault off and the operator on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Where a person reads: steps and results go to the same console."""

    console: Console
    progress: Progress


def demonstrate(
    plan: Plan, cluster: Platform, look: Callable[[], Look], *, show_on: Screen, interrupts: Interrupts
) -> int:
    """Carry out a run, bring the platform back, and show what the run has shown.

    What was found out is written also when the run failed or was interrupted.

    Args:
        plan: the run.
        cluster: the platform.
        look: looks at the platform, for the timeline.
        show_on: where a person reads.
        interrupts: Ctrl-C and SIGTERM; they are watched already.

    Returns:
        What the process ends with.
    """
    console, progress = show_on.console, show_on.progress
    _forget_last_run(plan)
    with (
        TimelineWriter(plan.files.timeline) as timeline,
        shown(plan, console, progress) as show,
        Watch(look, timeline=timeline, show=show) as watch,
    ):
        run = Run(plan=plan, cluster=cluster, watch=watch, progress=progress)
        try:
            error = _carried_out(run, interrupts)
        except KeyboardInterrupt:
            # The only one that there is, between the last step and the first word of the clean-up.
            error = INTERRUPTED
        finally:
            problems = _brought_back(run, interrupts)
        # A release that is still slow loses nothing; but an order that is still under way would look lost.
        if not (error or interrupts.ended_run or run.loaded):
            interrupts.clean("what became of the orders is being read")
            error = _judged(run)
    return _told(run, console, problems=[error, *problems] if error else problems, interrupts=interrupts)


def _forget_last_run(plan: Plan) -> None:
    plan.folder.mkdir(parents=True, exist_ok=True)
    files = plan.files
    for file in (*files.of_a_run(), arrivals_path(files.witness), arrivals_path(files.calibration_witness)):
        file.unlink(missing_ok=True)


def _carried_out(run: Run, interrupts: Interrupts) -> str:
    """Return why the course was not carried out to its end; empty when it was."""
    try:
        carry_out(run)
    except KeyboardInterrupt:
        end_running_programs()
        return INTERRUPTED
    except (ClusterError, LoadTestError) as exc:
        return reason_of(exc)
    finally:
        interrupts.clean("fault off, operator on")
    return ""


def _brought_back(run: Run, interrupts: Interrupts) -> list[str]:
    """Return what could not be brought back; empty when all is as before."""
    run.watch.enter(Phase.RECOVERY, "fault off, operator on, nothing waits")
    steps = []
    if run.changed:
        what = "fault off, operator on, as `make up` left it"
        steps.append(Tidy(what=what, do=run.cluster.restore, tries=RESTORE_TRIES, hint=NOT_RESTORED))
    if run.loaded:
        steps.append(Tidy(what="no lag, empty outbox, no open saga", do=lambda: drain(run)))
    return tidy(steps, progress=run.progress, interrupts=interrupts)


def _judged(run: Run) -> str:
    try:
        judge_orders(run)
    except (ClusterError, LoadTestError) as exc:
        return reason_of(exc)
    return ""


def _told(run: Run, console: Console, *, problems: list[str], interrupts: Interrupts) -> int:
    for problem in problems:
        _say_error(console, problem)
    if broken := run.watch.broken:
        console.print(f"{len(broken)} looks gave nothing, the last one: {escape(broken[-1])}", soft_wrap=True)
    if interrupts.came and not interrupts.ended_run:
        said = CLEAN_UP_CUT if problems else CLEAN_UP_WENT_ON
        console.print(f"interrupted during the clean-up{said}", highlight=False, soft_wrap=True)
    if run.found.calibration is None:
        return 130 if interrupts.ended_run else 1
    results = write_results(run, interrupted=interrupts.ended_run)
    show_results(results.summary, run.plan, console)
    for problem in results.problems:
        _say_error(console, problem)
    if set(problems) - {INTERRUPTED}:
        return 1
    return results.summary.verdict.exit_code or int(bool(results.problems))


def _say_error(console: Console, problem: str) -> None:
    console.print(f"[red]error:[/] {escape(problem)}", highlight=False, soft_wrap=True)
