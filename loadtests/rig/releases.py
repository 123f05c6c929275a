"""The applications' release: made slow for a run (P19), and brought back to what `make up` left."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from doorbuster_cluster.commands.supply import APPS
from doorbuster_cluster.runtime.releases import CHARTS, NAMESPACE, Release
from doorbuster_cluster.runtime.toolbox import Toolbox
from loadtests.rig.errors import RigError

UPGRADE_MINUTES = 5


def read_release(values: Path) -> Release:
    """Return the applications' release as `make up` installed it.

    Its digest is then the same, too, so the next `make up` finds nothing to do.

    Args:
        values: the file in which `make up` keeps the release's values.

    Raises:
        RigError: there is no such file.
    """
    try:
        return Release(name=APPS, values=yaml.safe_load(values.read_text()))
    except FileNotFoundError as exc:
        raise RigError(f"`make up` has left no {values}", hint="type `make up`") from exc


def upgrade_command(values: Mapping[str, str]) -> list[str | Path]:
    """Return helm's arguments that change these values and leave all others alone."""
    changes = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    return [
        "upgrade", APPS, CHARTS / APPS, "--namespace", NAMESPACE, "--reuse-values", *changes,
        "--wait", "--timeout", f"{UPGRADE_MINUTES}m",
    ]  # fmt: skip


def change(tools: Toolbox, values: Mapping[str, str]) -> None:
    """Change values of the applications, and return when everything of it is rolled out; raises CommandFailed."""
    tools.helm(*upgrade_command(values), timeout_seconds=UPGRADE_MINUTES * 60 + 30)
