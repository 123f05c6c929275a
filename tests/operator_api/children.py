"""Processes that tests start: each with a log of its own, ended within a bounded time, never left behind."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHOWN_LINES = 40
# The API server drains its watches for a while; nobody needs that here, so what is slow is killed.
END_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class Child:
    """One process.

    Attributes:
        name: for people who read a failure.
        argv: the program and its arguments.
        log: receives all output, of every start.
        environment: the whole environment; None means this process's own.
    """

    name: str
    argv: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str] | None = None
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; whether it serves is the caller's question."""
        assert not self.runs, f"{self.name} runs already"
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_dies_with_us(), *self.argv],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def runs(self) -> bool:
        """Whether it was started and hasn't ended."""
        return self._process is not None and self._process.poll() is None

    def assert_runs(self) -> None:
        """Fail with the end of the log when the process has ended by itself."""
        assert self.runs, f"{self.name} has ended:\n{self.tail()}"

    def stop(self, *, within_seconds: float = END_SECONDS) -> int | None:
        """End the process as Kubernetes does, at last by force; return its exit status, None if it never ran."""
        if self._process is None:
            return None
        if self.runs:
            self._process.terminate()
        try:
            return self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int | None:
        """End the process as a lost node does; return its exit status, None if it never ran."""
        if self._process is None:
            return None
        self._process.kill()
        return self._process.wait(END_SECONDS)

    def output(self) -> str:
        """Return everything that it has printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self) -> str:
        """Return the last lines that it has printed."""
        return "\n".join(self.output().splitlines()[-SHOWN_LINES:])


def _dies_with_us() -> tuple[str, ...]:
    """Return the words that end a child also when the test run is killed and can't end it itself."""
    # Part of Debian's essential packages; elsewhere the fixtures' own ends must do.
    setpriv = shutil.which("setpriv", path=os.defpath)
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
