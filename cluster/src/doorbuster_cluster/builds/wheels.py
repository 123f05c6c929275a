"""Python packages of an image, fetched on the host by hash: the image's build then needs no network and no index.

They are for the image's Python and system, whatever this machine has. Packages that would have to be compiled are
refused: a compiler's result has no hash in the lock.
"""

import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from doorbuster_cluster.digests import digest_of
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import run

FETCH_SECONDS = 600.0
# Debian trixie's; the published base of the image has the same.
PYTHON = "3.13"
# What machines call their processors, and what wheels do.
ARCHITECTURES: Mapping[str, str] = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
# Oldest C libraries that wheels are made for, up to trixie's (2.41).
C_LIBRARIES = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")


def fetch_wheels(lock: Path, cache: Path, machine: str | None = None) -> Path:
    """Return the folder with the unpacked packages of a lock file, fetched unless it is kept already.

    Args:
        lock: requirements with hashes.
        cache: where folders of packages are kept.
        machine: the processor's name as `uname -m` has it; None means this machine's.

    Raises:
        ClusterError: no image can be made for this processor.
        CommandFailed: a package can't be fetched, or has another content than its hash says.
    """
    options = _options(machine or platform.machine())
    folder = cache / "wheels" / digest_of(lock.read_bytes(), *options)
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "install", "--quiet", "--target", unfinished]
    run([*pip, *options, "--requirement", lock], timeout_seconds=FETCH_SECONDS)
    # Their first line names this machine's Python, and the image calls modules.
    shutil.rmtree(unfinished / "bin", ignore_errors=True)
    unfinished.rename(folder)
    return folder


def _options(machine: str) -> tuple[str, ...]:
    architecture = ARCHITECTURES.get(machine.lower())
    if architecture is None:
        raise ClusterError(f"there are no Python packages for a {machine}; an image is made for amd64 or arm64")
    platforms = tuple(f"--platform={library}_{architecture}" for library in C_LIBRARIES)
    abis = tuple(f"--abi={abi}" for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none"))
    checks = ("--only-binary=:all:", "--require-hashes", "--no-deps")
    # Compiled by this machine's Python the files would be of no use to the image's.
    rest = ("--no-compile", "--disable-pip-version-check", "--no-warn-conflicts")
    return (*platforms, f"--python-version={PYTHON}", "--implementation=cp", *abis, *checks, *rest)
