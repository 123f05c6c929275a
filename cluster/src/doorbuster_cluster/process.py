"""Runs the programs that this package drives. The only module that starts a process and waits for it."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.errors import CommandFailed, CommandTimedOut

DEFAULT_TIMEOUT_SECONDS = 120.0
SHOWN_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a program that ended left behind."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it ended without an error."""
        return self.returncode == 0


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> str:
    """Return the standard output of a program that has to succeed.

    Args:
        argv: the program and its arguments; no shell is involved.
        env: the whole environment; None means this process's own.
        cwd: the working directory; None means this process's own.
        stdin: text for its standard input; None means none at all.
        timeout_seconds: after this long it is killed.

    Raises:
        CommandFailed: it ended with an error, or could not be started.
        CommandTimedOut: it took longer than `timeout_seconds`.
    """
    completed = attempt(argv, env=env, cwd=cwd, stdin=stdin, timeout_seconds=timeout_seconds)
    if not completed.ok:
        raise CommandFailed(f"{_shown(argv)} ended with {completed.returncode}:\n{_tail(completed)}")
    return completed.stdout


def attempt(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Completed:
    """Return how a program ended, whether it succeeded or not. Arguments and timeouts as in `run`."""
    words = [str(word) for word in argv]
    feed = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    try:
        done = subprocess.run(
            words,
            env=env,
            cwd=cwd,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
            check=False,
            **feed,
        )
    except subprocess.TimeoutExpired as exc:
        raise CommandTimedOut(f"{_shown(argv)} did not end within {timeout_seconds:.0f} s") from exc
    except OSError as exc:
        raise CommandFailed(f"{words[0]} could not be started: {exc.strerror}") from exc
    return Completed(returncode=done.returncode, stdout=done.stdout, stderr=done.stderr)


def _shown(argv: Sequence[str | Path]) -> str:
    text = " ".join(str(word) for word in argv)
    return text if len(text) <= 160 else f"{text[:157]}..."


def _tail(completed: Completed) -> str:
    text = completed.stderr.strip() or completed.stdout.strip() or "(it printed nothing)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-SHOWN_LINES:])
