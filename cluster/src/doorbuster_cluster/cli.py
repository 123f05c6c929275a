"""The command line: `doorbuster-cluster COMMAND`, which the Makefile calls."""

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TypeVar

import click
from rich.console import Console
from rich.markup import escape

from doorbuster_cluster.commands.clean import empty_cache
from doorbuster_cluster.commands.diagnose import write_bundle
from doorbuster_cluster.commands.doctor import examine
from doorbuster_cluster.commands.down import bring_down
from doorbuster_cluster.commands.images import provide_images
from doorbuster_cluster.commands.skaffold import build_for_skaffold, run_skaffold
from doorbuster_cluster.commands.status import show_status
from doorbuster_cluster.commands.supply import APPS, OPERATOR
from doorbuster_cluster.commands.token import token_of
from doorbuster_cluster.commands.up import bring_up
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import end_running_programs
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.runtime.skaffold import Mode
from doorbuster_cluster.settings import REPOSITORY, Settings, read_settings

Result = TypeVar("Result")

ENVIRONMENT = """
\b
Environment:
  DOORBUSTER_CLUSTER        name of the kind cluster            (doorbuster)
  DOORBUSTER_PORT           ingress on 127.0.0.1                (8080)
  DOORBUSTER_REGISTRY_PORT  local registry on 127.0.0.1         (5001)
  DOORBUSTER_SIZE           ha | small                          (ha)
  DOORBUSTER_ENGINE         auto | existing | own               (auto)
  DOORBUSTER_IMAGES         auto | pull | build                 (auto)
  DOORBUSTER_CACHE          programs, images, engine data       (~/.cache/doorbuster)
"""


@click.group(epilog=ENVIRONMENT, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Bring the platform up on this machine, and take it down again.

    Begin with `doctor`: it looks at the machine, changes nothing and says what `up` would do.
    """


@main.command()
def doctor() -> None:
    """Look at the machine and say what is missing; exit 1 when `up` can't work."""
    console = _console()
    if not _guarded(lambda settings: examine(settings, console)):
        sys.exit(1)


@main.command()
def up() -> None:
    """Bring the whole platform up; only what isn't there yet is made.

    The first time without a container registry in reach everything is built here: about 25 minutes. It can be
    interrupted and goes on where it was.
    """
    _guarded(lambda settings: bring_up(settings, Progress(_console())))
    _guarded(lambda settings: show_status(settings, _console()))


@main.command()
def down() -> None:
    """Remove the cluster and put the machine back as it was; the cache stays."""
    _guarded(lambda settings: bring_down(settings, Progress(_console())))


@main.command()
def status() -> None:
    """Show engine, cluster, releases and pods; exit 1 when something isn't ready."""
    if not _guarded(lambda settings: show_status(settings, _console())):
        sys.exit(1)


@main.command()
def clean() -> None:
    """Delete the cache: programs, images and the engine's data. `down` has to come first."""
    _guarded(lambda settings: empty_cache(settings, Progress(_console())))


@main.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=REPOSITORY / "out",
    help="Folder that receives the bundle.",
)
def diagnose(output: Path) -> None:
    """Write a bundle of events, statuses and logs for somebody who wasn't there."""
    _guarded(lambda settings: write_bundle(settings, Progress(_console()), folder=output, now=datetime.now(UTC)))


@main.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=REPOSITORY / "out" / "images.json",
    help="JSON file that receives the references.",
)
def images(output: Path) -> None:
    """Have an engine and the images of stores, Prometheus and Alertmanager ready, without a cluster."""
    _guarded(lambda settings: provide_images(settings, Progress(_console()), output))


@main.command()
@click.argument("user", type=click.IntRange(min=1))
def token(user: int) -> None:
    """Print a token of a user, for trying the API out on the local cluster."""
    click.echo(_guarded(lambda settings: token_of(settings, user)))


@main.command()
@click.argument("mode", type=click.Choice([mode.value for mode in Mode]))
def skaffold(mode: str) -> None:
    """Call skaffold on the running platform: `run` once, `dev` at each change."""
    sys.exit(_guarded(lambda settings: run_skaffold(settings, Progress(_console()), mode=Mode(mode))))


@main.command()
@click.argument("name", type=click.Choice([APPS, OPERATOR]))
@click.option("--reference", envvar="IMAGE", required=True, help="Full name of the image; skaffold sets IMAGE.")
def build(name: str, reference: str) -> None:
    """Build an image of ours and push it; skaffold calls this."""
    _guarded(lambda settings: build_for_skaffold(settings, Progress(_console()), name, reference=reference))


def _console() -> Console:
    return Console(stderr=False)


def _guarded(command: Callable[[Settings], Result]) -> Result:
    """Run a command; show its errors as one sentence and a next step, and end with 1."""
    # As Ctrl-C: open steps say that they failed, and the lock is given up.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return command(read_settings(os.environ))
    except ClusterError as exc:
        console = Console(stderr=True)
        console.print(f"[red]error:[/] {escape(str(exc))}", highlight=False, soft_wrap=True)
        if exc.hint:
            console.print(f"  → {escape(exc.hint)}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        end_running_programs()
        Console(stderr=True).print("interrupted; a build that was under way goes on, the next run picks it up")
        sys.exit(130)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
