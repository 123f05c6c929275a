"""`python -m loadtests.demo`: the demonstration's command line, which `make demo` calls."""

import math
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
from loadtests.demo.plan import HIGHEST_PEAK, LOWEST_PEAK, Plan
from loadtests.demo.run import Screen, demonstrate
from loadtests.demo.watching import Eyes
from loadtests.errors import LoadTestError
from loadtests.reports.evidence import Operator
from loadtests.rig.api_server import ApiServer
from loadtests.rig.cluster import open_cluster
from loadtests.rig.errors import reason_of
from loadtests.rig.interrupts import Interrupts

BEFORE, AFTERWARDS = "before anything was changed", "after the run had come to its end, so its verdict stands"
EPILOG = """
\b
Course, with a peak of 100 orders a second:
  rest          nothing waits, one replica of stock
  calibration   30 s at the peak, without a fault; if that is too much, the next three are left out
  fault         each record of stock takes 30 ms: one replica does 33 a second
  flash sale    0 to 100 in 150 s, 100 for 120 s, to 0 in 30 s: 20,400 orders
  quiet         until all orders are final and stock has one replica again
  recovery      fault off, operator on, nothing waits; also after Ctrl-C

\b
Exit status: 0 PASSED, and with `--operator off` FAILED AS EXPECTED; 1 FAILED, or an error;
3 NOT COMPARABLE: this machine can't do the load even without the fault; 130 interrupted.
"""


def _number(_context: click.Context, _option: click.Parameter, value: float) -> float:
    # A range lets NaN through, for it is neither below nor above anything.
    if math.isnan(value):
        raise click.BadParameter("it isn't a number")
    return value


@click.command(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--operator",
    type=click.Choice([each.value for each in Operator], case_sensitive=False),
    default=Operator.ON.value,
    show_default=True,
    help="`off` pauses all scalers while the load runs.",
)
@click.option(
    "--peak",
    type=click.FloatRange(LOWEST_PEAK, HIGHEST_PEAK),
    default=100.0,
    callback=_number,
    show_default=True,
    help="Orders a second at the highest; all rates and the fault follow it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that receives the results.  [default: out/demo, or out/demo-off]",
)
@click.option("--seed", type=click.IntRange(min=1), default=1, show_default=True, help="Chooses who orders what.")
@click.option(
    "--only-check-options",
    is_flag=True,
    help="End with 0 if options and environment make sense, and do nothing: `make demo` asks before it brings up.",
)
def main(operator: str, peak: float, out: Path | None, seed: int, only_check_options: bool) -> None:  # noqa: FBT001  # click's way
    """Sell out on the local cluster, with a stock consumer that is three times too slow.

    With the operator, replicas are added until nobody waits; without it, more than half of the orders are still open
    when the load ends. Nothing may be lost either way: each buyer's own record is compared with what the shop says.
    The cluster has to be up (`make up`); about 9 minutes.
    """
    console = Console()
    # Not through the progress: a signal that comes while it prints would wait for its lock for ever.
    interrupts = Interrupts(partial(console.print, highlight=False, soft_wrap=True))
    try:
        settings = read_settings(os.environ)
        plan = plan_for(settings, operator=Operator(operator), peak=peak, out=out, seed=seed)
        status = 0 if only_check_options else _run(settings, plan, console, interrupts)
    except (ClusterError, LoadTestError) as exc:
        Console(stderr=True).print(f"[red]error:[/] {escape(reason_of(exc))}", highlight=False, soft_wrap=True)
        status = 1
    except KeyboardInterrupt:
        Console(stderr=True).print(f"interrupted {AFTERWARDS if interrupts.over else BEFORE}")
        status = 130
    sys.exit(status)


def plan_for(settings: Settings, *, operator: Operator, peak: float, out: Path | None, seed: int) -> Plan:
    """Return the plan of a run; one without the operator has a folder of its own, so that both results stay."""
    name = "demo" if operator is Operator.ON else "demo-off"
    return Plan(
        operator=operator,
        peak=peak,
        folder=(out or REPOSITORY / "out" / name).absolute(),
        base_url=f"http://127.0.0.1:{settings.port}",
        seed=seed,
    )


def _run(settings: Settings, plan: Plan, console: Console, interrupts: Interrupts) -> int:
    progress = Progress(console, clock=time.monotonic)
    machine = Machine(settings)
    session = Session(settings, machine.running_engine(), progress)
    # The lock of `make up`, which would take the fault back in the middle of a run, and whose builds take the CPU.
    with (
        ApiServer(settings.kubeconfig, cluster=settings.cluster) as api,
        held(machine.lock, "make demo"),
        interrupts.watched(),
    ):
        screen = Screen(console=console, progress=progress)
        cluster = open_cluster(session, api)
        return demonstrate(plan, cluster, Eyes(api).look, show_on=screen, interrupts=interrupts)


if __name__ == "__main__":
    main()
