"""Runs the programs that this package drives. The only module that starts a process and waits for it."""

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.errors import CommandFailed, CommandTimedOut

DEFAULT_TIMEOUT_SECONDS = 120.0
SHOWN_LINES = 15
# For a program that was asked to end: helm notes that its release is unfinished.
LAST_SECONDS = 10.0


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
    try:
        with _RUNNING.started(words, env=env, cwd=cwd, feed=stdin is not None) as program:
            output, errors = program.communicate(stdin, timeout=timeout_seconds)
    except subprocess.TimeoutExpired as exc:
        raise CommandTimedOut(f"{_shown(argv)} did not end within {timeout_seconds:.0f} s") from exc
    except OSError as exc:
        raise CommandFailed(f"{words[0]} could not be started: {exc.strerror}") from exc
    return Completed(returncode=program.returncode, stdout=output, stderr=errors)


def attend(argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> int:
    """Return the exit status of a program that a person watches: it has this process's terminal, and no time limit.

    Ctrl-C is the program's own affair, which the terminal tells it; a SIGTERM is passed on. Either way this returns
    when the program has ended. Only the main thread may call it, as Python wants of whoever handles signals.

    Raises:
        CommandFailed: it could not be started.
    """
    words = [str(word) for word in argv]
    # Set before the program runs: its own handlers start from the system's, whatever these here do.
    former = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    try:
        with subprocess.Popen(words, env=env, cwd=cwd) as program, _passing_on(signal.SIGTERM, program):
            return program.wait()
    except OSError as exc:
        raise CommandFailed(f"{words[0]} could not be started: {exc.strerror}") from exc
    finally:
        signal.signal(signal.SIGINT, former)


@contextmanager
def _passing_on(sent: signal.Signals, program: subprocess.Popen[bytes]) -> Iterator[None]:
    former = signal.signal(sent, lambda _signal, _frame: program.send_signal(sent))
    try:
        yield
    finally:
        signal.signal(sent, former)


def end_running_programs() -> None:
    """End every program that runs now: this process is about to exit.

    A program left behind would go on unseen: a helm of an interrupted run once finished in the middle of the next run
    and put the former release back.
    """
    _RUNNING.end_all()


class _RunningPrograms:
    """The programs that this process waits for, in whichever thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._programs: set[subprocess.Popen[str]] = set()

    @contextmanager
    def started(
        self, words: Sequence[str], *, env: Mapping[str, str] | None, cwd: Path | None, feed: bool
    ) -> Iterator[subprocess.Popen[str]]:
        """Yield a program that runs; it is dead when the block ends."""
        with self._lock:
            program = subprocess.Popen(
                words,
                env=env,
                cwd=cwd,
                stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            self._programs.add(program)
        try:
            with program:
                try:
                    yield program
                finally:
                    program.kill()
        finally:
            with self._lock:
                self._programs.discard(program)

    def end_all(self) -> None:
        with self._lock:
            programs = list(self._programs)
        for program in programs:
            program.terminate()
        for program in programs:
            # Whoever doesn't end by then is left behind, which is no worse than before.
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(LAST_SECONDS)


_RUNNING = _RunningPrograms()


def _shown(argv: Sequence[str | Path]) -> str:
    text = " ".join(str(word) for word in argv)
    return text if len(text) <= 160 else f"{text[:157]}..."


def _tail(completed: Completed) -> str:
    text = completed.stderr.strip() or completed.stdout.strip() or "(it printed nothing)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-SHOWN_LINES:])
