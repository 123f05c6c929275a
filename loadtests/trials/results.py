"""What is left of a run: its summary, its picture, and the table on the screen."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loadtests.reports.audit import Audit
from loadtests.reports.limits import Check, Subject, exactly
from loadtests.reports.measurements import Measurement
from loadtests.reports.scenario_plot import draw_comparison, draw_over_time
from loadtests.reports.scenario_summary import ScenarioSummary, write_scenario_summary
from loadtests.reports.summary import Machine
from loadtests.reports.verdict import Verdict, verdict_of
from loadtests.rig.machine import MEMORY, PROCESSORS, memory_gib, processor, read_fact, usable_cores
from loadtests.trials.catalogue import TITLES, Name
from loadtests.trials.steps import Trial, now

COLOURS = {Verdict.PASSED: "green", Verdict.FAILED: "red"}


def summary_of(trial: Trial, *, started_at: datetime, audit: Audit | None) -> ScenarioSummary:
    """Return what the run has shown."""
    plan, found = trial.plan, trial.found
    checks = (*found.checks, breaches(audit))
    return ScenarioSummary(
        scenario=plan.name.value,
        title=TITLES[plan.name],
        command=plan.command,
        started_at=started_at,
        seconds=round(now() - started_at.timestamp(), 1),
        machine=Machine(cores=usable_cores(), memory_gib=memory_gib(read_fact(MEMORY))),
        processor=processor(read_fact(PROCESSORS)),
        settings=found.settings,
        verdict=verdict_of(checks),
        checks=checks,
        measurements=tuple(found.measurements),
        remarks=tuple(found.remarks),
        audit=audit,
        samples=plan.samples(),
    )


def breaches(audit: Audit | None) -> Check:
    """Return the check of the auditor's report."""
    found = None if audit is None else audit.found
    return exactly(0, "breaches that the auditor found", found, subject=Subject.SAFETY)


def write_results(trial: Trial, summary: ScenarioSummary) -> list[str]:
    """Write summary and picture; return a sentence for each that could not be written."""
    plan = trial.plan
    tried = (
        _problem(plan.summary, lambda: write_scenario_summary(plan.summary, summary)),
        _problem(plan.picture, lambda: _draw(trial, summary)),
    )
    return [problem for problem in tried if problem]


def _draw(trial: Trial, summary: ScenarioSummary) -> None:
    if trial.plan.name is Name.S5:
        draw_comparison(summary, trial.plan.picture)
        return
    stretch = trial.found.stretches[0]
    draw_over_time(summary, stretch.samples, trial.found.lag, trial.plan.picture)


def _problem(file: Path, write: Callable[[], None]) -> str:
    try:
        write()
    except Exception as exc:  # noqa: BLE001  # a bug in a picture must not hide what minutes of load have shown
        with suppress(OSError):
            file.unlink(missing_ok=True)
        return f"{file} could not be written: {exc!r}"
    return ""


def show_results(summary: ScenarioSummary, folder: Path, console: Console) -> None:
    """Print what was measured, every figure beside its limit, the verdict, and where the files are."""
    console.print(_measured(summary.measurements))
    console.print()
    console.print(_checked(summary.checks))
    for remark in summary.remarks:
        console.print(f"- {escape(remark)}", highlight=False, soft_wrap=True)
    if summary.audit is not None:
        for breach in summary.audit.shown:
            console.print(f"[red]breach[/] {escape(breach)}", highlight=False, soft_wrap=True)
    colour = COLOURS.get(summary.verdict, "yellow")
    console.print(f"\n[bold {colour}]{summary.verdict.value}[/]  ({summary.scenario}, {escape(summary.place)})")
    console.print(f"  {folder}", highlight=False, soft_wrap=True)


def _measured(measurements: tuple[Measurement, ...]) -> Table:
    columns = ("requests", "count", "req/s", "mean", "p50", "p95", "p99 ms", "ok", "sold out", "errors")
    table = Table(*columns, box=None, pad_edge=False)
    for each in measurements:
        times = (each.per_second, each.mean_ms, each.p50_ms, each.p95_ms, each.p99_ms)
        shown = ["-" if value is None else f"{value:,.1f}" for value in times]
        counts = [f"{count:,}" for count in (each.ok, each.sold_out, each.errors)]
        table.add_row(escape(each.name), f"{each.requests:,}", *shown, *counts)
    return table


def _checked(checks: tuple[Check, ...]) -> Table:
    table = Table("", "figure", "value", "limit", "", box=None, pad_edge=False)
    for check in checks:
        # What isn't known didn't pass; but nothing bad was seen either.
        mark = "[green]✓[/]" if check.passed else "[yellow]?[/]" if check.value is None else "[red]✗[/]"
        said = "passed" if check.passed else "missed"
        about = " (an aim)" if check.subject is Subject.AIM else ""
        table.add_row(mark, escape(check.name), escape(check.shown), escape(check.limit), said + about)
    return table
