"""Runs the tiers of tests, each with what it needs, and says how long each took.

`make check`, `make test` and `.ci/run` call this. The tiers that need an engine use a cluster of their own, with its
own name and port, and take everything down again, also when a test failed.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from tests.commands import Command, Runner, TierFailed
from tests.ports import free_port

BIN = REPOSITORY / ".venv" / "bin"
OUT = REPOSITORY / "out"
CHARTS = REPOSITORY / "charts"
CLUSTER = "doorbuster-test"
PYTEST = (BIN / "python", "-m", "pytest")
# A process a core.
SPREAD = ("--numprocesses", "auto")
# These folders run beside each other, and beside them all others one after the other: the three take about as long.
LONG = ("apps", "mysql")
# This one gets two processes with servers of their own. Not by file (loadfile): of tests with one name that runs only
# one, and Schemathesis makes one an operation.
LONGEST = "apps"
SPREAD_LONGEST = ("--numprocesses", "2", "--dist", "worksteal")
# Records the machine's control groups and brings them back: a container that starts beside it would be in both.
ALONE = "host"
# The check keeps all cores busy, the other one waits for an API server most of the time.
STAGES = (("check", "operator_api"), ("integration",), ("e2e",))
# Of the tiers that need no engine; the others' come with it.
PROGRAMS = {"check": ("helm", "helm-unittest", "promtool"), "operator_api": ("helm", "etcd", "hyperkube")}
# Stages of lanes. In the first each lane breaks another store and waits for it to heal. The restarted node is
# everybody's. In the third nobody changes what the others look at.
E2E_STAGES = (
    (("test_kafka.py",), ("test_mysql.py",), ("test_redis.py",)),
    (("test_node.py",),),
    (
        # Each of the first three installs something more, and the node's two cores are requested nearly whole.
        ("test_platform.py", "test_small.py", "test_uninstall.py", "test_observability.py"),
        ("test_network_policies.py", "test_audit.py", "test_commerce.py"),
    ),
)


def main(tiers: Sequence[str]) -> int:
    """Run the tiers; return the process's exit status."""
    os.chdir(REPOSITORY)
    progress = Progress(Console())
    if not tiers or set(tiers) - TIERS.keys():
        progress.note(f"name some of the tiers {', '.join(TIERS)}")
        return 2
    settings = replace(read_settings(os.environ), cluster=CLUSTER, port=free_port())
    took: dict[str, float] = {}
    failed = ""
    with held(settings.cache / "test.lock", f"tests of {REPOSITORY}"):
        try:
            for stage in STAGES:
                if wanted := [tier for tier in stage if tier in tiers]:
                    _run_stage(wanted, settings, progress, took)
        except (TierFailed, ClusterError) as exc:
            failed = str(exc)
            _keep_evidence(settings, progress)
        finally:
            if set(tiers) - PROGRAMS.keys():
                with _timed("take down", took):
                    failed = "; ".join(filter(None, (failed, _take_down(settings, progress))))
    _tell(progress, took, failed)
    return 1 if failed else 0


def _run_stage(tiers: Sequence[str], settings: Settings, progress: Progress, took: dict[str, float]) -> None:
    """Run tiers beside each other; all of them run to the end, also when one has failed."""
    runner = Runner(progress=progress, shared=len(tiers) > 1, folder=_programs(tiers, settings, progress))

    def ended(tier: str) -> str:
        try:
            with _timed(tier, took):
                TIERS[tier](settings, progress, runner)
        except (TierFailed, ClusterError) as exc:
            progress.note(f"[red]FAILED[/] {escape(f'{tier}: {exc}')}")
            return f"{tier}: {exc}"
        return ""

    with ThreadPoolExecutor(max_workers=len(tiers)) as pool:
        failed = "; ".join(filter(None, pool.map(ended, tiers)))
    if failed:
        raise TierFailed(failed)


def _programs(tiers: Sequence[str], settings: Settings, progress: Progress) -> Path | None:
    """Return the folder with the programs that the tiers need; None if they need none."""
    names = dict.fromkeys(name for tier in tiers for name in PROGRAMS.get(tier, ()))
    return provide_tools(settings, progress, tuple(names)) if names else None


def _take_down(settings: Settings, progress: Progress) -> str:
    """Remove everything; return what is left on the machine, if anything. That is a failure like any other."""
    try:
        bring_down(settings, progress)
    except ClusterError as exc:
        return f"take down: {exc}"
    return ""


def check(settings: Settings, progress: Progress, runner: Runner) -> None:
    """Everything that needs no server."""
    _have_packages(settings)
    runner.run(BIN / "ruff", "format", "--check", ".")
    runner.run(BIN / "ruff", "check", ".")
    runner.run(BIN / "mypy")
    for chart in sorted(CHARTS.glob("*/Chart.yaml")):
        _check_chart(chart.parent, runner)
    _check_rules(runner)
    runner.run(*PYTEST, *SPREAD, "tests/unit", "tests/architecture")


def operator_api(settings: Settings, progress: Progress, runner: Runner) -> None:
    """A real API server, as two processes; no engine."""
    runner.run(*PYTEST, "--durations", "3", "tests/operator_api")


def integration(settings: Settings, progress: Progress, runner: Runner) -> None:
    """Real servers in containers from our images."""
    provide_images(settings, progress, OUT / "images.json")
    tests = REPOSITORY / "tests" / "integration"
    folders = {path.parent.name for path in tests.glob("*/__init__.py")}
    lanes = [*([name] for name in LONG), sorted(folders - {*LONG, ALONE})]
    runner.run_beside([_integration_tests(tests / ALONE)])
    runner.run_lanes([[_integration_tests(tests / name) for name in lane] for lane in lanes])


def _integration_tests(folder: Path) -> Command:
    return Command((*PYTEST, *(SPREAD_LONGEST if folder.name == LONGEST else ()), "--durations", "3", folder))


def e2e(settings: Settings, progress: Progress, runner: Runner) -> None:
    """A kind cluster of its own with everything installed."""
    bring_up(settings, progress)
    session = Session(settings, Machine(settings).running_engine(), progress)
    environment = {
        **session.tools.environment(),
        "DOORBUSTER_CLUSTER": settings.cluster,
        "DOORBUSTER_PORT": str(settings.port),
    }
    for lanes in _e2e_stages():
        runner.run_lanes(
            [[Command((*PYTEST, "--durations", "3", file), environment) for file in lane] for lane in lanes]
        )


def _e2e_stages() -> Iterator[Sequence[Sequence[Path]]]:
    """Yield lanes of files. What no stage names comes last, in one lane."""
    folder = REPOSITORY / "tests" / "e2e"
    for stage in E2E_STAGES:
        yield [[folder / name for name in lane] for lane in stage]
    named = {name for stage in E2E_STAGES for lane in stage for name in lane}
    yield [[path for path in sorted(folder.glob("test_*.py")) if path.name not in named]]


TIERS: dict[str, Callable[[Settings, Progress, Runner], None]] = {
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


def _check_chart(chart: Path, runner: Runner) -> None:
    if "type: library" in (chart / "Chart.yaml").read_text():
        return
    runner.run("helm", "dependency", "build", chart, "--skip-refresh")
    runner.run("helm", "lint", "--strict", chart)
    runner.run("helm-unittest", "--strict", chart)


def _check_rules(runner: Runner) -> None:
    rules = sorted(CHARTS.glob("*/files/rules/*.yaml"))
    tests = sorted((REPOSITORY / "tests" / "unit" / "charts" / "rules").glob("*.yaml"))
    runner.run("promtool", "check", "rules", *rules)
    runner.run("promtool", "test", "rules", *tests)


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
