"""`python -m loadtests.trials`: the scenarios' command line, which `make scenario` calls."""

import os
import sys
import time
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import REPOSITORY, Settings, read_settings
from loadtests.errors import LoadTestError
from loadtests.rig.api_server import ApiServer
from loadtests.rig.errors import reason_of
from loadtests.rig.interrupts import Interrupts
from loadtests.trials.catalogue import TITLES, Name
from loadtests.trials.ground import open_ground
from loadtests.trials.plan import ITERATIONS, Plan
from loadtests.trials.run import COULD_NOT_RUN, INTERRUPTED, rehearse

EPILOG = """
\b
Exit status: 0 PASSED; 1 a figure was missed, or the auditor found a breach; 2 it could not run;
3 NOT COMPARABLE: the generator itself was too slow for this load; 130 interrupted.
"""


@click.command(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("name", required=False, default="")
@click.option(
    "--iterations",
    type=click.IntRange(1, 10_000),
    default=ITERATIONS,
    show_default=True,
    help="How often each user of s5 looks and orders; fewer are said in the report.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that receives the results.  [default: out/scenarios/NAME]",
)
@click.option("--seed", type=click.IntRange(min=1), default=1, show_default=True, help="Chooses who does what.")
def main(name: str, iterations: int, out: Path | None, seed: int) -> None:
    """Offer the load of a scenario to the local cluster, wait until it is quiet, ask the auditor, judge.

    The cluster has to be up (`make up`). Without a NAME, the scenarios are listed.
    """
    if not name:
        click.echo("\n".join(listed()))
        return
    if name.lower() not in set(Name):
        click.echo("\n".join([f"error: there is no scenario {name!r}; there are:", *listed()]), err=True)
        sys.exit(COULD_NOT_RUN)
    console = Console()
    # Not through the progress: a signal that comes while it prints would wait for its lock for ever.
    interrupts = Interrupts(partial(console.print, highlight=False, soft_wrap=True))
    try:
        settings = read_settings(os.environ)
        plan = plan_for(settings, Name(name.lower()), out=out, seed=seed, iterations=iterations)
        status = _run(settings, plan, console, interrupts)
    except (ClusterError, LoadTestError) as exc:
        Console(stderr=True).print(f"[red]error:[/] {escape(reason_of(exc))}", highlight=False, soft_wrap=True)
        status = COULD_NOT_RUN
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted")
        status = INTERRUPTED
    sys.exit(status)


def listed() -> list[str]:
    """Return a line for each scenario."""
    return [f"  make scenario NAME={name.value:<10} {title}" for name, title in TITLES.items()]


def plan_for(settings: Settings, name: Name, *, out: Path | None, seed: int, iterations: int) -> Plan:
    """Return the plan of a run; each scenario has a folder of its own, so that all results stay."""
    return Plan(
        name=name,
        folder=(out or REPOSITORY / "out" / "scenarios" / name.value).absolute(),
        base_url=f"http://127.0.0.1:{settings.port}",
        seed=seed,
        iterations=iterations,
    )


def _run(settings: Settings, plan: Plan, console: Console, interrupts: Interrupts) -> int:
    progress = Progress(console, clock=time.monotonic)
    machine = Machine(settings)
    # The lock of `make up`, which would change the release in the middle of a run, and whose builds take the CPU.
    with (
        ApiServer(settings.kubeconfig, cluster=settings.cluster) as api,
        held(machine.lock, "make scenario"),
        interrupts.watched(),
    ):
        ground = open_ground(Session(settings, machine.running_engine(), progress), api)
        return rehearse(plan, ground, console, progress=progress, interrupts=interrupts)


if __name__ == "__main__":
    main()
