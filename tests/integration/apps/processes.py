"""The applications' own processes, as a pod runs them: `python -m doorbuster.…` with settings in the environment."""

import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from doorbuster.settings import Settings
from doorbuster_cluster.settings import REPOSITORY
from tests.fetching import fetched
from tests.integration.polling import seconds_until
from tests.ports import free_port

SOURCES = REPOSITORY / "apps" / "src"
READY_SECONDS = 60
# The grace period of a pod.
END_SECONDS = 35
ASK_SECONDS = 2


@dataclass(slots=True, kw_only=True)
class Application:
    """One process.

    Attributes:
        words: what stands behind `python -m`, e.g. `doorbuster.consumers stock`.
        admin_port: where it serves probes and metrics.
    """

    words: tuple[str, ...]
    environment: Mapping[str, str]
    admin_port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None
    _output: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    def start(self) -> None:
        """Start the process; `wait_ready` says when it serves."""
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(SOURCES)}
        environment["DOORBUSTER_ADMIN_PORT"] = str(self.admin_port)
        argv = [sys.executable, "-m", *self.words]
        self._process = subprocess.Popen(argv, env=environment, stdout=self._output, stderr=subprocess.STDOUT)

    def wait_ready(self) -> None:
        """Return when the process says that it is ready."""
        seconds_until(
            lambda: self._ended() or self._ask("readyz") is not None,
            within_seconds=READY_SECONDS,
            what=f"{' '.join(self.words)} is ready",
        )
        assert not self._ended(), f"{' '.join(self.words)} has ended:\n{self.logs()}"

    def metrics(self) -> str:
        """Return what a scrape would get."""
        text = self._ask("metrics")
        assert text is not None
        return text

    def stop(self) -> int:
        """End the process as Kubernetes does; return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(END_SECONDS)

    def kill(self) -> None:
        """End the process as a lost node does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(END_SECONDS)

    def close(self) -> None:
        """End it in any case, and forget its output.

        A consumer says goodbye to its group: else the next test's members would wait for the end of its session.
        """
        try:
            if not self._ended():
                self.stop()
        except subprocess.TimeoutExpired:
            self.kill()
        finally:
            self._output.close()

    def logs(self) -> str:
        """Return everything that it has printed."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace")

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _ask(self, path: str) -> str | None:
        try:
            return fetched(f"http://127.0.0.1:{self.admin_port}/{path}", within_seconds=ASK_SECONDS).decode()
        except urllib.error.HTTPError:
            # Not ready yet.
            return None


@contextmanager
def running(*applications: Application) -> Iterator[None]:
    """Run processes that are ready when the block begins and gone when it ends; a failure shows what they printed."""
    try:
        for application in applications:
            application.start()
        for application in applications:
            application.wait_ready()
        yield
    finally:
        for application in applications:
            # pytest shows it only for a test that failed.
            print(f"== {' '.join(application.words)}\n{application.logs()[-20_000:]}")  # noqa: T201
        with ThreadPoolExecutor(max_workers=len(applications)) as pool:
            list(pool.map(Application.close, applications))


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment that makes a process read these settings."""
    found = {
        "DOORBUSTER_MYSQL__HOSTS": ",".join(settings.mysql.hosts),
        "DOORBUSTER_MYSQL__PORT": str(settings.mysql.port),
        "DOORBUSTER_MYSQL__USER": settings.mysql.user,
        "DOORBUSTER_MYSQL__DATABASE": settings.mysql.database,
        "DOORBUSTER_KAFKA__SERVERS": settings.kafka.servers,
        "DOORBUSTER_REDIS__ADDRESS": settings.redis.address,
        "DOORBUSTER_REDIS__SENTINELS": ",".join(settings.redis.sentinels),
    }
    files = {"MYSQL": settings.mysql.password_file, "REDIS": settings.redis.password_file}
    return found | {f"DOORBUSTER_{name}__PASSWORD_FILE": str(file) for name, file in files.items() if file}
