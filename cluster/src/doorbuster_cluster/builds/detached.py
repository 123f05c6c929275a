"""Long builds that outlive the person's patience: Ctrl-C stops the waiting, not the build; the next run waits on.

A build runs in a session of its own with its output in a log. Two files beside the log tell a later run what became
of it: `<name>.pid` while it runs, `<name>.exit` after it ended.
"""

import shlex
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.errors import CommandFailed, CommandTimedOut

POLL_SECONDS = 0.2
SHOWN_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """One long build.

    Attributes:
        name: unique among the builds that share `folder`; the same inputs must give the same name.
        argv: the program and its arguments.
        cwd: the working directory.
        environment: the whole environment.
        folder: where log, pid and exit status are kept.
    """

    name: str
    argv: Sequence[str | Path]
    cwd: Path
    environment: Mapping[str, str]
    folder: Path

    @property
    def log(self) -> Path:
        """Everything that the build printed."""
        return self.folder / f"{self.name}.log"

    def wait(self, timeout_seconds: float) -> None:
        """Return when the build has succeeded; starts it unless it runs already or succeeded when nobody waited.

        Raises:
            CommandFailed: the build ended with an error; the message holds the end of its log.
            CommandTimedOut: it still runs after `timeout_seconds`. It goes on; the next call waits again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._running() and not self._succeeded_unseen():
            self._start()
        deadline = time.monotonic() + timeout_seconds
        while self._running():
            if time.monotonic() > deadline:
                raise CommandTimedOut(f"{self.name} still runs after {timeout_seconds:.0f} s", hint=f"see {self.log}")
            time.sleep(POLL_SECONDS)
        self._judge()

    def _start(self) -> None:
        self._exit.unlink(missing_ok=True)
        # The shell writes the exit status itself: whoever started it may be gone by then.
        command = " ".join(shlex.quote(str(word)) for word in self.argv)
        script = f"{command}; echo $? > {shlex.quote(str(self._exit))}"
        with self.log.open("wb") as output:
            child = subprocess.Popen(
                ["/bin/sh", "-c", script], cwd=self.cwd, env=dict(self.environment), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self._pid.write_text(f"{child.pid} {_started(child.pid)}")
        # Takes note of its end, so that it doesn't stay behind as a zombie.
        threading.Thread(target=child.wait, daemon=True).start()

    def _running(self) -> bool:
        try:
            pid, started = self._pid.read_text().split()
        except (OSError, ValueError):
            return False
        return started != "gone" and _started(pid) == started

    def _succeeded_unseen(self) -> bool:
        """Return whether it ended well after its waiter was gone: whoever waits to the end takes the pid file away."""
        return self._pid.exists() and self._exit.exists() and self._exit.read_text().strip() == "0"

    def _judge(self) -> None:
        self._pid.unlink(missing_ok=True)
        status = self._exit.read_text().strip() if self._exit.exists() else "no exit status: it was killed"
        if status != "0":
            tail = "\n".join(f"  {line}" for line in self.log.read_text(errors="replace").splitlines()[-SHOWN_LINES:])
            raise CommandFailed(f"{self.name} failed ({status}):\n{tail}", hint=f"the whole log: {self.log}")

    @property
    def _pid(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def _exit(self) -> Path:
        return self.folder / f"{self.name}.exit"


def _started(pid: int | str) -> str:
    """Return when the process began, in clock ticks since boot (field 22 of proc_pid_stat(5)); "gone" without one.

    Together with the number it tells the process from a later one that was given the same number.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "gone"
    return "gone" if fields[0] == "Z" else fields[19]
