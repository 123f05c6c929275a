import sys
from pathlib import Path

import pytest

from doorbuster_cluster.builds import wheels
from doorbuster_cluster.builds.images import read_source
from doorbuster_cluster.builds.wheels import PYTHON, fetch_wheels
from doorbuster_cluster.errors import ClusterError, CommandFailed
from tests.unit.cluster.conftest import FakeProgram

# Python that only knows `-m pip install`: it unpacks one package, and a program that calls it.
PIP = """
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/msgspec" "$2/bin" && touch "$2/msgspec/__init__.py" "$2/bin/msgspec"
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "apps.txt"
    path.write_text("msgspec==1\n")
    return path


@pytest.fixture
def pip(fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch) -> Path:
    calls = fake_program("pip-python", PIP)
    monkeypatch.setattr(sys, "executable", str(calls.with_name("pip-python")))
    return calls


def test_packages_are_fetched_once(tmp_path: Path, lock: Path, pip: Path) -> None:
    folder = fetch_wheels(lock, tmp_path / "cache", "x86_64")
    again = fetch_wheels(lock, tmp_path / "cache", "x86_64")

    assert again == folder
    assert len(pip.read_text().splitlines()) == 1


def test_nothing_is_left_that_names_this_machines_python(tmp_path: Path, lock: Path, pip: Path) -> None:
    folder = fetch_wheels(lock, tmp_path / "cache", "x86_64")

    assert [path.name for path in folder.iterdir()] == ["msgspec"]
    assert " --no-compile " in pip.read_text()


def test_packages_are_those_of_the_lock_for_the_images_python(tmp_path: Path, lock: Path, pip: Path) -> None:
    fetch_wheels(lock, tmp_path / "cache", "x86_64")

    words = set(pip.read_text().split())
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps", "--implementation=cp"} <= words
    assert {"--python-version=3.13", "--abi=cp313", "--abi=abi3", str(lock)} <= words
    assert "--platform=manylinux_2_28_x86_64" in words


@pytest.mark.parametrize(
    ("machine", "architecture"), [("aarch64", "aarch64"), ("arm64", "aarch64"), ("AMD64", "x86_64")]
)
def test_each_processor_has_its_own_packages(
    tmp_path: Path, lock: Path, pip: Path, machine: str, architecture: str
) -> None:
    fetch_wheels(lock, tmp_path / "cache", machine)

    assert f"--platform=manylinux_2_28_{architecture} " in pip.read_text()


def test_another_processor_or_lock_is_another_folder(tmp_path: Path, lock: Path, pip: Path) -> None:
    folders = {fetch_wheels(lock, tmp_path / "cache", machine) for machine in ("x86_64", "aarch64", "amd64")}
    lock.write_text("msgspec==2\n")
    folders.add(fetch_wheels(lock, tmp_path / "cache", "x86_64"))

    assert len(folders) == len(pip.read_text().splitlines()) == 3


def test_a_processor_without_packages_is_refused(tmp_path: Path, lock: Path) -> None:
    with pytest.raises(ClusterError, match="no Python packages for a riscv64; an image is made for amd64 or arm64"):
        fetch_wheels(lock, tmp_path / "cache", "riscv64")


def test_a_failure_is_shown_and_nothing_of_it_is_kept(
    tmp_path: Path, lock: Path, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fake_program("pip-python", f"{PIP}echo 'THESE PACKAGES DO NOT MATCH THE HASHES' >&2; exit 1")
    monkeypatch.setattr(sys, "executable", str(calls.with_name("pip-python")))

    with pytest.raises(CommandFailed, match="DO NOT MATCH THE HASHES"):
        fetch_wheels(lock, tmp_path / "cache", "x86_64")

    assert not [path for path in (tmp_path / "cache" / "wheels").iterdir() if not path.name.endswith(".unfinished")]


def test_the_python_is_that_of_both_bases() -> None:
    source = read_source("apps")

    # trixie's python3 is 3.13 as long as trixie lives.
    assert source.root is not None
    assert wheels.PYTHON == "3.13"
    assert source.published is not None
    assert source.published.startswith(f"docker.io/library/python:{PYTHON}-")
