"""Runs the tiers of tests in order, each with what it needs, and says how long each took.

`make check`, `make test` and `.ci/run` call this. The tiers that need an engine use a cluster of their own, with its
own name and port, and take everything down again, also when a test failed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from doorbuster_cluster.commands.diagnose import write_bundle
from doorbuster_cluster.commands.down import bring_down
from doorbuster_cluster.commands.images import provide_images
from doorbuster_cluster.commands.session import Machine, Session
from doorbuster_cluster.commands.tools import provide_tools
from doorbuster_cluster.commands.up import bring_up
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.distribution import read_distribution
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.host.packages import Purpose, install, missing_packages
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import REPOSITORY, Settings, read_settings
from tests.ports import free_port

BIN = REPOSITORY / ".venv" / "bin"
OUT = REPOSITORY / "out"
CHARTS = REPOSITORY / "charts"
CLUSTER = "doorbuster-test"
SOURCES = os.pathsep.join(("apps/src", "charts/observability/src", "cluster/src", "operator/src", "."))
# Records the machine's control groups and brings them back: a container that starts beside it would be in both.
ALONE = "host"
WITHOUT_ENGINE = {"check", "operator_api"}


class TierFailed(Exception):
    """A command of a tier ended with an error; its output says why."""


def main(tiers: Sequence[str]) -> int:
    """Run the tiers; return the process's exit status."""
    os.chdir(REPOSITORY)
    progress = Progress(Console())
    settings = replace(read_settings(os.environ), cluster=CLUSTER, port=free_port())
    took: dict[str, float] = {}
    failed = ""
    with held(settings.cache / "test.lock", f"tests of {REPOSITORY}"):
        try:
            for tier in tiers:
                with _timed(tier, took):
                    TIERS[tier](settings, progress)
        except (TierFailed, ClusterError) as exc:
            failed = f"{tier}: {exc}"
            _keep_evidence(settings, progress)
        finally:
            if set(tiers) - WITHOUT_ENGINE:
                with _timed("take down", took):
                    failed = "; ".join(filter(None, (failed, _take_down(settings, progress))))
    _tell(progress, took, failed)
    return 1 if failed else 0


def _take_down(settings: Settings, progress: Progress) -> str:
    """Remove everything; return what is left on the machine, if anything. That is a failure like any other."""
    try:
        bring_down(settings, progress)
    except ClusterError as exc:
        return f"take down: {exc}"
    return ""


def check(settings: Settings, progress: Progress) -> None:
    """Everything that needs no server."""
    _have_packages(settings)
    tools = provide_tools(settings, progress, ("helm", "helm-unittest", "promtool"))
    environment = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    _run(BIN / "ruff", "format", "--check", ".")
    _run(BIN / "ruff", "check", ".")
    _run(BIN / "mypy")
    for chart in sorted(CHARTS.glob("*/Chart.yaml")):
        _check_chart(chart.parent, environment)
    _check_rules(environment)
    _run(BIN / "python", "-m", "pytest", "tests/unit", "tests/architecture", environment=environment)


def operator_api(settings: Settings, progress: Progress) -> None:
    """A real API server, as two processes; no engine."""
    provide_tools(settings, progress, ("helm", "etcd", "hyperkube"))
    _run(BIN / "python", "-m", "pytest", "--durations", "3", "tests/operator_api")


def integration(settings: Settings, progress: Progress) -> None:
    """Real servers in containers from our images."""
    provide_images(settings, progress, OUT / "images.json")
    folders = sorted(path.parent for path in (REPOSITORY / "tests" / "integration").glob("*/__init__.py"))
    alone = REPOSITORY / "tests" / "integration" / ALONE
    _run(*_integration_tests(alone))
    _run_beside([_integration_tests(folder) for folder in folders if folder != alone])


def _integration_tests(folder: Path) -> tuple[str | Path, ...]:
    return BIN / "python", "-m", "pytest", "--durations", "3", folder


def e2e(settings: Settings, progress: Progress) -> None:
    """A kind cluster of its own with everything installed."""
    bring_up(settings, progress)
    session = Session(settings, Machine(settings).running_engine(), progress)
    environment = {
        **session.tools.environment(),
        "DOORBUSTER_CLUSTER": settings.cluster,
        "DOORBUSTER_PORT": str(settings.port),
    }
    _run(BIN / "python", "-m", "pytest", "--durations", "5", "tests/e2e", environment=environment)


TIERS: dict[str, Callable[[Settings, Progress], None]] = {
    "check": check,
    "operator_api": operator_api,
    "integration": integration,
    "e2e": e2e,
}


def _have_packages(settings: Settings) -> None:
    """Have the Debian packages of the checks (shellcheck); installed where that is ours to do."""
    missing = missing_packages(Purpose.CHECKS, read_distribution())
    if missing and os.geteuid() != 0:
        raise TierFailed(f"missing: {' '.join(missing)}; type: sudo apt-get install {' '.join(missing)}")
    install(missing, Machine(settings).packages)


def _check_chart(chart: Path, environment: dict[str, str]) -> None:
    if "type: library" in (chart / "Chart.yaml").read_text():
        return
    _run("helm", "dependency", "build", chart, "--skip-refresh", environment=environment)
    _run("helm", "lint", "--strict", chart, environment=environment)
    _run("helm-unittest", "--strict", chart, environment=environment)


def _check_rules(environment: dict[str, str]) -> None:
    rules = sorted(CHARTS.glob("*/files/rules/*.yaml"))
    tests = sorted((REPOSITORY / "tests" / "unit" / "charts" / "rules").glob("*.yaml"))
    _run("promtool", "check", "rules", *rules, environment=environment)
    _run("promtool", "test", "rules", *tests, environment=environment)


def _run(*argv: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run a command with its output on the terminal; a tier ends with the first that fails."""
    words = [str(word) for word in argv]
    command = " ".join(words).removeprefix(f"{REPOSITORY}/")
    sys.stdout.write(f"$ {command}\n")
    sys.stdout.flush()
    ambient = {**os.environ, "PYTHONPATH": SOURCES, **(environment or {})}
    program = _which(words[0], ambient["PATH"])
    if subprocess.run([program, *words[1:]], env=ambient, check=False).returncode != 0:
        raise TierFailed(f"`{command}` failed")


def _run_beside(commands: Sequence[Sequence[str | Path]]) -> None:
    """Run commands beside each other, each with its output in one piece when it has ended; all of them run to the end.

    The folders of the integration tier wait for their servers' time-outs for most of their time.
    """
    environment = {**os.environ, "PYTHONPATH": SOURCES}
    with ThreadPoolExecutor(max_workers=len(commands)) as pool:
        ended = [pool.submit(_run_collected, command, environment) for command in commands]
        failed = [future.result() for future in as_completed(ended)]
    if any(failed):
        raise TierFailed("; ".join(filter(None, failed)))


def _run_collected(words: Sequence[str | Path], environment: dict[str, str]) -> str:
    """Return what to say about a command that failed, nothing about one that succeeded."""
    command = " ".join(map(str, words)).replace(f"{REPOSITORY}/", "")
    done = subprocess.run(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    sys.stdout.write(f"$ {command}\n{done.stdout}\n")
    sys.stdout.flush()
    return f"`{command}` failed" if done.returncode else ""


def _which(name: str, path: str) -> str:
    candidates = (Path(folder) / name for folder in path.split(os.pathsep))
    return next((str(found) for found in candidates if os.access(found, os.X_OK) and found.is_file()), name)


def _keep_evidence(settings: Settings, progress: Progress) -> None:
    if settings.kubeconfig.exists():
        write_bundle(settings, progress, folder=OUT, now=datetime.now(UTC))


@contextmanager
def _timed(name: str, took: dict[str, float]) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        took[name] = time.monotonic() - began


def _tell(progress: Progress, took: dict[str, float], failed: str) -> None:
    for name, seconds in took.items():
        progress.note(f"{name:<12} {int(seconds) // 60:>3}:{int(seconds) % 60:02d} min")
    progress.note(f"[red]FAILED[/] {escape(failed)}" if failed else "[green]all tiers passed[/]")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
