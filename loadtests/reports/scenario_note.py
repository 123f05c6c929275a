"""The note on what scenarios have measured, as a document, made from their summaries alone. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from loadtests.reports.audit import Audit
from loadtests.reports.limits import Check, Subject
from loadtests.reports.measurements import Measurement
from loadtests.reports.scenario_summary import ScenarioSummary
from loadtests.reports.timeline import clock

HEAD = """\
# Commerce under load

What `make scenario` has measured on the local cluster: each figure beside its limit, and what the auditor said
afterwards. Figures are worth as much as the machine that they come from. This file is written by
`python -m loadtests.trials.note` from the runs' summaries, never by hand.
"""


def note(titles: Mapping[str, str], summaries: Mapping[str, ScenarioSummary], *, pictures: Mapping[str, str]) -> str:
    """Return the document.

    Args:
        titles: what each scenario does, by name, in the order in which they are shown.
        summaries: the runs, by name; one that is missing was not run.
        pictures: the files with their pictures beside the document, by name.
    """
    parts = [HEAD, *_overview(titles, summaries)]
    for name in titles:
        if name in summaries:
            parts += _section(summaries[name], pictures.get(name))
    return "\n".join(parts).rstrip() + "\n"


def _overview(titles: Mapping[str, str], summaries: Mapping[str, ScenarioSummary]) -> Iterator[str]:
    yield "| scenario | load | verdict | auditor |"
    yield "| --- | --- | --- | --- |"
    for name, title in titles.items():
        run = summaries.get(name)
        verdict, auditor = ("*not run here*", "") if run is None else (run.verdict.value, _auditor(run.audit))
        yield f"| `{name}` | {title} | {verdict} | {auditor} |"
    yield ""


def _section(run: ScenarioSummary, picture: str | None) -> Iterator[str]:
    yield f"## {run.scenario}"
    yield ""
    yield f"{run.title}. Typed: `{run.command}`, {run.started_at:%Y-%m-%d %H:%M} UTC; took {clock(run.seconds)} min."
    yield f"Machine: {run.place}."
    yield ""
    yield f"**{run.verdict.value}.** {'; '.join(f'{name}: {_shown(value)}' for name, value in run.settings.items())}."
    yield ""
    yield from _measurements(run.measurements)
    yield from _checks(run.checks)
    for remark in run.remarks:
        yield f"* {remark}"
    yield f"* The auditor: {_audit(run.audit)}"
    samples = ", ".join(f"`{name}`" for name in run.samples)
    yield f"* Every single request: {samples} in `out/scenarios/{run.scenario}/`."
    yield ""
    if picture is not None:
        yield f"![What was measured]({picture})"
        yield ""


def _measurements(measurements: Sequence[Measurement]) -> Iterator[str]:
    yield "| requests | count | req/s | mean ms | p50 | p95 | p99 | ok | sold out | errors |"
    yield "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
    for each in measurements:
        figures = (each.per_second, each.mean_ms, each.p50_ms, each.p95_ms, each.p99_ms)
        counts = (each.ok, each.sold_out, each.errors)
        cells = [f"{each.requests:,}", *map(_figure, figures), *(f"{count:,}" for count in counts)]
        yield f"| {each.name} | {' | '.join(cells)} |"
    yield ""


def _checks(checks: Sequence[Check]) -> Iterator[str]:
    yield "| figure | value | limit | |"
    yield "| --- | --: | --- | --- |"
    for check in checks:
        said = "passed" if check.passed else "**missed**"
        about = " (an aim)" if check.subject is Subject.AIM else ""
        yield f"| {check.name} | {check.shown} | {check.limit} | {said}{about} |"
    yield ""


def _audit(audit: Audit | None) -> str:
    if audit is None:
        return "gave no report."
    looked_at = ", ".join(f"{count:,} {table}" for table, count in audit.looked_at.items() if count)
    broken = "".join(f" {breach}." for breach in audit.shown)
    return f"*{audit.verdict}*, looked at {looked_at or 'nothing'} in {audit.seconds:.0f} s.{broken}"


def _auditor(audit: Audit | None) -> str:
    return "no report" if audit is None else audit.verdict


def _shown(value: float | str) -> str:
    # Twelve digits: a million users are no 1e+06.
    return value if isinstance(value, str) else f"{value:,.12g}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
