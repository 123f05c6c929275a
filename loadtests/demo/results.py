"""What is left of a run: its files, and the verdict on the screen."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loadtests.demo.course import Run as RunUnderWay
from loadtests.demo.gathering import evidence_of, latency_of
from loadtests.demo.plan import LOWEST_PEAK, Plan
from loadtests.reports.evidence import Operator
from loadtests.reports.plot import draw
from loadtests.reports.summary import Machine, Run, Summary, summarize, write_summary
from loadtests.reports.verdict import Verdict
from loadtests.rig.machine import MEMORY, memory_gib, read_fact, usable_cores

COLOURS = {Verdict.PASSED: "green", Verdict.FAILED_AS_EXPECTED: "green", Verdict.FAILED: "red"}
NEXT = {
    Verdict.PASSED: "`make demo OPERATOR=off` shows the same load without the operator",
    Verdict.FAILED_AS_EXPECTED: "`make demo` shows the same load with the operator",
    Verdict.FAILED: "the timeline shows when it went wrong; `make diagnose` collects logs and events",
    Verdict.INTERRUPTED: "begin again with `make demo`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a run came to, and a sentence for each file that could not be written."""

    summary: Summary
    problems: tuple[str, ...]


def write_results(run: RunUnderWay, *, interrupted: bool) -> Results:
    """Write summary and picture; one that can't be written keeps neither the other nor the verdict back."""
    seen, files = run.watch.seen(), run.plan.files
    summary = summarize(
        described(run),
        evidence_of(run.plan, run.found, seen.moments, interrupted=interrupted),
        latency_ms=latency_of(run.found.attempts),
        decisions=seen.decisions,
    )
    tried = (
        _problem(files.summary, lambda: write_summary(files.summary, summary)),
        _problem(files.picture, lambda: draw(seen.moments, seen.decisions, summary, files.picture)),
    )
    return Results(summary=summary, problems=tuple(problem for problem in tried if problem))


def _problem(file: Path, write: Callable[[], None]) -> str:
    try:
        write()
    except Exception as exc:  # noqa: BLE001  # a bug in a picture must not hide what nine minutes have shown
        with suppress(OSError):
            file.unlink(missing_ok=True)
        return f"{file} could not be written: {exc!r}"
    return ""


def described(run: RunUnderWay) -> Run:
    """Return what was run, and where."""
    return Run(
        started_at=run.watch.began_at,
        peak_per_s=run.plan.peak,
        # None was set in a run that its calibration ended.
        delay_ms=run.plan.delay_seconds * 1000 if run.changed else 0.0,
        machine=Machine(cores=usable_cores(), memory_gib=memory_gib(read_fact(MEMORY))),
    )


def show_results(summary: Summary, plan: Plan, console: Console) -> None:
    """Print every check, the verdict, where the files are and what to look at next."""
    table = Table("", "check", "value", "limit", box=None, pad_edge=False)
    for check in summary.checks:
        # What isn't known didn't pass; but nothing bad was seen either.
        mark = "[green]✓[/]" if check.passed else "[yellow]?[/]" if check.value is None else "[red]✗[/]"
        table.add_row(mark, escape(check.name), escape(check.shown), escape(check.limit))
    console.print(table)
    colour = COLOURS.get(summary.verdict, "yellow")
    about = "operator on" if plan.operator is Operator.ON else "operator off"
    console.print(f"\n[bold {colour}]{summary.verdict.value}[/]  ({about}, peak {plan.peak:g} orders/s)")
    for path in plan.files.of_a_run():
        if path.exists():
            console.print(f"  {path}", highlight=False, soft_wrap=True)
    console.print(f"next: {_next(summary.verdict, plan)}", highlight=False, soft_wrap=True)


def _next(verdict: Verdict, plan: Plan) -> str:
    if verdict is not Verdict.NOT_COMPARABLE:
        return NEXT[verdict]
    half = max(LOWEST_PEAK, plan.peak / 2)
    options = "" if plan.operator is Operator.ON else "OPERATOR=off "
    return f"end what else runs on this machine, or try half of the peak: `make demo {options}PEAK={half:g}`"
