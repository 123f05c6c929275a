"""`python -m loadtests.trials.note`: writes the note on what scenarios have measured, from the last run of each."""

import shutil
import sys
from pathlib import Path

import click

from doorbuster_cluster.settings import REPOSITORY
from loadtests.errors import LoadTestError
from loadtests.reports.scenario_note import note
from loadtests.reports.scenario_summary import ScenarioSummary, read_scenario_summary
from loadtests.trials.catalogue import TITLES, Name

RUNS = REPOSITORY / "out" / "scenarios"
NOTE = REPOSITORY / "docs" / "results" / "commerce.md"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--runs", type=click.Path(path_type=Path, file_okay=False), default=RUNS, help="Where the runs are.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=NOTE, help="The document.")
def main(runs: Path, out: Path) -> None:
    """Write the note, with a picture of each run beside it. A scenario that wasn't run is called so."""
    try:
        summaries = read_runs(runs)
    except LoadTestError as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(1)
    out.parent.mkdir(parents=True, exist_ok=True)
    pictures = copy_pictures(runs, summaries, out)
    titles = {name.value: title for name, title in TITLES.items()}
    out.write_text(note(titles, summaries, pictures=pictures), encoding="utf-8")
    click.echo(f"{out}: {len(summaries)} of {len(titles)} scenarios")


def read_runs(runs: Path) -> dict[str, ScenarioSummary]:
    """Return the last run of each scenario that was run; raises NotASummary."""
    places = {name.value: runs / name.value / "summary.json" for name in Name}
    return {name: read_scenario_summary(path) for name, path in places.items() if path.exists()}


def copy_pictures(runs: Path, summaries: dict[str, ScenarioSummary], out: Path) -> dict[str, str]:
    """Put the runs' pictures beside the document, and return their names."""
    pictures = {}
    for name in summaries:
        drawn = runs / name / "plot.png"
        if drawn.exists():
            pictures[name] = f"{out.stem}-{name}.png"
            shutil.copyfile(drawn, out.with_name(pictures[name]))
    return pictures


if __name__ == "__main__":
    main()
