"""Runs the commands of the test tiers: one with its output on the terminal, or several beside each other."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.markup import escape

from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import REPOSITORY

SOURCES = os.pathsep.join(("apps/src", "charts/observability/src", "cluster/src", "operator/src", "."))


class TierFailed(Exception):
    """A command of a tier ended with an error; its output says why."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments.

    Attributes:
        environment: what is added to that of this process.
    """

    words: tuple[str | Path, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the command as somebody would type it in the repository."""
        return " ".join(map(str, self.words)).replace(f"{REPOSITORY}/", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs commands.

    Attributes:
        shared: whether others write to the terminal meanwhile; each command's output then comes in one piece.
        folder: with programs that are found before those of this machine; None if there is none.
    """

    progress: Progress
    shared: bool
    folder: Path | None

    def run(self, *words: str | Path) -> None:
        """Run a command; a tier ends with the first that fails."""
        self.run_beside([Command(words)])

    def run_beside(self, commands: Sequence[Command]) -> None:
        """Run commands beside each other, as `run_lanes` does."""
        self.run_lanes([[command] for command in commands])

    def run_lanes(self, lanes: Sequence[Sequence[Command]]) -> None:
        """Run lanes of commands beside each other, and the commands of a lane one after the other.

        All of them run to the end, also when one has failed.

        Raises:
            TierFailed: names the commands that failed.
        """
        run = self._run_collected if self.shared or len(lanes) > 1 else self._run_shown

        def failures(lane: Sequence[Command]) -> list[str]:
            return [f"`{command}` failed" for command in lane if not run(command)]

        with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
            failed = [failure for lane in pool.map(failures, lanes) for failure in lane]
        if failed:
            raise TierFailed("; ".join(failed))

    def _run_collected(self, command: Command) -> bool:
        # Left by an error, the step says that it failed.
        with suppress(subprocess.CalledProcessError), self.progress.step(escape(str(command))):
            done = self._ended(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            done.check_returncode()
        sys.stdout.write(f"$ {command}\n{done.stdout}\n")
        sys.stdout.flush()
        return done.returncode == 0

    def _run_shown(self, command: Command) -> bool:
        sys.stdout.write(f"$ {command}\n")
        sys.stdout.flush()
        return self._ended(command).returncode == 0

    def _ended(
        self, command: Command, *, stdout: int | None = None, stderr: int | None = None
    ) -> "subprocess.CompletedProcess[str]":
        path = os.environ["PATH"] if self.folder is None else f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": SOURCES, **command.environment}
        name, *arguments = map(str, command.words)
        words = [_found(name, environment["PATH"]), *arguments]
        return subprocess.run(words, env=environment, stdout=stdout, stderr=stderr, text=True, check=False)


def _found(name: str, path: str) -> str:
    """Return where the command's own PATH has the program; this process' may lead elsewhere."""
    candidates = (Path(folder) / name for folder in path.split(os.pathsep))
    return next((str(found) for found in candidates if os.access(found, os.X_OK) and found.is_file()), name)
