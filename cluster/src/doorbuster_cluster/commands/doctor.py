"""`make doctor`: shows what was found out about this machine and what `make up` would do."""

from rich.console import Console

from doorbuster_cluster.host.doctor import diagnose
from doorbuster_cluster.host.facts import collect_facts
from doorbuster_cluster.host.findings import Diagnosis, Finding, Status
from doorbuster_cluster.settings import Settings

MARKS = {Status.OK: "[green]✓[/]", Status.WARNING: "[yellow]![/]", Status.PROBLEM: "[red]✗[/]"}


def examine(settings: Settings, console: Console) -> bool:
    """Print all findings and the plan; return whether `make up` can work."""
    diagnosis = diagnose(collect_facts(settings), settings)
    width = max(len(finding.subject) for finding in diagnosis.findings)
    for finding in diagnosis.findings:
        _print(console, finding, width)
    console.print()
    console.print(_verdict(diagnosis))
    return not diagnosis.problems


def _print(console: Console, finding: Finding, width: int) -> None:
    console.print(
        f"{MARKS[finding.status]} {finding.subject:<{width}}  {finding.seen}", highlight=False, soft_wrap=True
    )
    for mark, text in (("because", finding.why), ("→", finding.command)):
        if text:
            console.print(f"  {'':<{width}}  [dim]{mark} {text}[/]", highlight=False, soft_wrap=True)


def _verdict(diagnosis: Diagnosis) -> str:
    if diagnosis.problems:
        return f"[red]{len(diagnosis.problems)} to be solved[/] before `make up` can work"
    plan = diagnosis.plan
    engine = plan.engine.value if plan.engine else "no"
    return f"[green]`make up` can work[/]: {engine} engine, images: {plan.images.value}"
