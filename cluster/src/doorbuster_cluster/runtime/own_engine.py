"""Our own Docker engine, for machines where none answers: its own socket, data, configuration and pid file.

Never started beside an engine that answers: two engines flush each other's firewall chains.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.capabilities import Capability, has_capability
from doorbuster_cluster.process import attempt
from doorbuster_cluster.settings import REPOSITORY

START_SECONDS = 60.0
STOP_SECONDS = 90.0
POLL_SECONDS = 0.2
# A UNIX socket's path may hold 107 bytes (unix(7)); the engine makes longer ones below its exec root.
LONGEST_FOLDER = 60
SHIM = REPOSITORY / "cluster" / "engine" / "runc-with-fewer-capabilities"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEngine:
    """Starts and stops the engine whose files lie in `folder`."""

    folder: Path

    @property
    def engine(self) -> Engine:
        """The engine as its clients see it."""
        return Engine(address=f"unix://{self.folder / 'docker.sock'}", own=True)

    def answers(self) -> bool:
        """Return whether it runs and serves requests."""
        if not (self.folder / "docker.sock").exists():
            return False
        return self.engine.try_docker("info", "--format", "{{.ID}}", timeout_seconds=20).ok

    def start(self) -> None:
        """Start the engine detached from this process and return when it answers; at once if it does already.

        Raises:
            ClusterError: it did not answer in time; the message holds the end of its log.
        """
        if self.answers():
            return
        self._prepare()
        log = self.folder / "log"
        with log.open("ab") as output:
            daemon = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        _wait_until(lambda: daemon.poll() is not None or self.answers(), START_SECONDS)
        if not self.answers():
            raise ClusterError(f"our container engine did not start:\n{_last_lines(log)}", hint=f"read {log}")

    def stop(self) -> None:
        """Stop the engine, its containers and what it mounted. Does nothing when it isn't there."""
        for process in self._processes():
            _end(process)
        for mount in reversed(_mounts_below(self.folder)):
            attempt(["umount", "--lazy", mount])
        for leftover in ("docker.sock", "pid"):
            (self.folder / leftover).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "exec", ignore_errors=True)

    def _prepare(self) -> None:
        if len(str(self.folder)) > LONGEST_FOLDER:
            raise ClusterError(
                f"{self.folder} is too long a path for an engine's sockets",
                hint="set DOORBUSTER_CACHE to a shorter folder",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "pid").unlink(missing_ok=True)
        (self.folder / "daemon.json").write_text(json.dumps(self._configuration(), indent=2))

    def _configuration(self) -> dict[str, object]:
        if has_capability(Capability.SYS_RESOURCE) is not False:
            return {}
        shim = Path(shutil.copy2(SHIM, self.folder / SHIM.name))
        return {"runtimes": {"fewer-capabilities": {"path": str(shim)}}, "default-runtime": "fewer-capabilities"}

    def _command(self) -> list[str]:
        return [
            "dockerd",
            "--config-file", str(self.folder / "daemon.json"),
            "--data-root", str(self.folder / "data"),
            "--exec-root", str(self.folder / "exec"),
            "--host", f"unix://{self.folder / 'docker.sock'}",
            "--pidfile", str(self.folder / "pid"),
        ]  # fmt: skip

    def _processes(self) -> list[int]:
        """The daemon first, then whatever of its containerd and shims outlived it."""
        mine = str(self.folder).encode()
        found: list[tuple[int, int]] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                continue
            words = _command_line(entry)
            if words and any(mine in word for word in words[1:]) and words[0].rpartition(b"/")[2] in _ENGINE_PROGRAMS:
                found.append((_ENGINE_PROGRAMS.index(words[0].rpartition(b"/")[2]), int(entry.name)))
        return [process for _, process in sorted(found)]


_ENGINE_PROGRAMS = [b"dockerd", b"containerd", b"containerd-shim-runc-v2", b"docker-proxy"]


def _command_line(entry: Path) -> list[bytes]:
    try:
        return (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _end(process: int) -> None:
    """Ask a process to end, wait, and make it if it doesn't."""
    for sign, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0)):
        try:
            os.kill(process, sign)
        except ProcessLookupError:
            return
        if _wait_until(lambda: not _alive(process), patience):
            return


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _mounts_below(folder: Path) -> list[str]:
    """Return the mount points below the folder, outermost first (the fifth field of proc_pid_mountinfo(5))."""
    points = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return sorted(point for point in points if point.startswith(f"{folder}/"))


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
