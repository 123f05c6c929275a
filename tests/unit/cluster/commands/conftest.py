"""A session of the cluster `shop` on stub programs, and what it printed."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from doorbuster_cluster.builds import go_programs
from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.progress import Progress
from doorbuster_cluster.settings import Settings
from tests.unit.cluster.conftest import FakeProgram
from tests.unit.cluster.host.machines import settings


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    """The settings of the cluster `shop`, with a cache of its own."""
    return settings(cluster="shop", cache=str(tmp_path / "cache"))


@pytest.fixture
def printed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def console(printed: io.StringIO) -> Console:
    return Console(file=printed, width=200)


@pytest.fixture
def progress(console: Console) -> Progress:
    return Progress(console)


@pytest.fixture
def go(fake_program: FakeProgram) -> Iterator[Path]:
    """A Go compiler that only tells its version."""
    go_programs._go_version.cache_clear()
    yield fake_program("go", '[ "$1" = env ] && echo go1.26.8')
    go_programs._go_version.cache_clear()


@pytest.fixture
def session(shop: Settings, progress: Progress, go: Path, fake_program: FakeProgram) -> Session:
    """A session on an engine of ours; kind, kubectl and helm do nothing until a test replaces them."""
    assert not go.exists()
    made = Session(shop, Engine(address=None, own=True), progress)
    for name in ("kind", "kubectl", "helm"):
        made.tools.found[name] = fake_program(name, "").with_name(name)
    return made
