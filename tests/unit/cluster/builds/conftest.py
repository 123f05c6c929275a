"""A Go compiler that writes what it was told to, and the sources that it is given."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doorbuster_cluster.builds import go_programs
from tests.unit.cluster.conftest import FakeProgram

# `go build … -o <file> <package>` writes its environment and arguments into the file, as a real one writes a program.
COMPILER = """
case "$1" in
  env) echo go{version} ;;
  build)
    while [ "$1" != -o ]; do shift; done
    env > "$2" ;;
esac
"""

Compiler = Callable[[str], Path]


@pytest.fixture
def go(fake_program: FakeProgram) -> Iterator[Compiler]:
    """Return a function that puts a compiler of a version on PATH; it returns the list of its calls."""

    def make(version: str) -> Path:
        # The version is asked for once a process; here the compiler changes within one.
        go_programs._go_version.cache_clear()
        return fake_program("go", COMPILER.format(version=version))

    yield make
    go_programs._go_version.cache_clear()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of Go modules that stands in the place of cluster/go; it holds `helm`."""
    folder = tmp_path / "sources"
    (folder / "helm").mkdir(parents=True)
    (folder / "helm" / "go.mod").write_text("module helm\n")
    monkeypatch.setattr(go_programs, "SOURCES", folder)
    return folder
