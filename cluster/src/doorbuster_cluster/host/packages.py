"""Debian packages that our own engine and the image builds need, installed without starting a service.

Only as root on Debian, and only when no engine answers (PLATFORM_RULES P1); the caller asks for that.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.distribution import Distribution
from doorbuster_cluster.host.service_policy import POLICY, services_stay_stopped
from doorbuster_cluster.process import Completed, attempt, run

INSTALL_SECONDS = 900.0
UPDATE_SECONDS = 300.0
# Another apt-get, such as the daily upgrade, may hold dpkg's lock for a while.
LOCK_OPTION = "DPkg::Lock::Timeout=120"
# Programs for root are not on every user's PATH.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
# From Debian 13 on the package docker.io holds the daemon only.
CLIENT_APART_SINCE = 13


class Purpose(StrEnum):
    """What packages are needed for."""

    ENGINE = "engine"
    BUILD = "build"
    CHECKS = "checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that a package brings.

    Attributes:
        proof: a program, or an absolute path; where it is there already, from wherever, no package is needed.
        package: the Debian package that brings it.
    """

    proof: str
    package: str


NEEDS: Mapping[Purpose, tuple[Need, ...]] = {
    Purpose.ENGINE: (
        Need(proof="dockerd", package="docker.io"),
        Need(proof="iptables", package="iptables"),
        # Only nft shows and deletes the tables that iptables leaves behind empty.
        Need(proof="nft", package="nftables"),
        Need(proof="ip", package="iproute2"),
    ),
    Purpose.BUILD: (
        Need(proof="mmdebstrap", package="mmdebstrap"),
        Need(proof="/usr/share/keyrings/debian-archive-keyring.gpg", package="debian-archive-keyring"),
        Need(proof="java", package="default-jre-headless"),
        Need(proof="mvn", package="maven"),
    ),
    Purpose.CHECKS: (Need(proof="shellcheck", package="shellcheck"),),
}


def is_there(proof: str) -> bool:
    """Return whether the program, or the file of an absolute path, is on this machine."""
    return Path(proof).exists() if proof.startswith("/") else find_program(proof) is not None


def missing_packages(
    purpose: Purpose, distribution: Distribution, is_there: Callable[[str], bool] = is_there
) -> tuple[str, ...]:
    """Return the packages whose programs or files are not on this machine, sorted.

    Args:
        purpose: what they are needed for.
        distribution: decides in which package Docker's client is.
        is_there: tells whether a `Need.proof` is met.
    """
    needs = list(NEEDS[purpose])
    if purpose is Purpose.ENGINE:
        needs.append(Need(proof="docker", package=_client_package(distribution)))
    return tuple(sorted({need.package for need in needs if not is_there(need.proof)}))


def install(packages: Sequence[str], record: Path, policy: Path = POLICY) -> None:
    """Install Debian packages without what they merely recommend, and without starting their services.

    Args:
        packages: their names; nothing happens when there are none.
        record: JSON file that lists all that was ever installed by us, dependencies included.
        policy: the file that Debian's scripts ask before they start a service.

    Raises:
        ClusterError: apt-get ended with an error, also after one refresh of its lists.
        CommandTimedOut: it took longer than 15 minutes.
    """
    if not packages:
        return
    # Before the fact as well: a run that is killed in between has told what it was about to do.
    _remember(record, packages)
    before = _installed()
    with services_stay_stopped(policy):
        _install(packages)
    added = _installed() - before
    _remember(record, added)
    _keep_units_disabled(added)


def installed_by_us(record: Path) -> tuple[str, ...]:
    """Return the packages that `install` noted down, sorted.

    Raises:
        ClusterError: the record can't be read.
    """
    if not record.exists():
        return ()
    try:
        return tuple(json.loads(record.read_text()))
    except ValueError as exc:
        raise ClusterError(f"{record} is damaged", hint="look at /var/log/apt/history.log, then delete it") from exc


def find_program(name: str) -> str | None:
    """Return where a program lies, looking also in the folders for root; None when it isn't there."""
    folders = [*os.environ.get("PATH", os.defpath).split(os.pathsep), *SYSTEM_FOLDERS]
    return shutil.which(name, path=os.pathsep.join(folders))


def _client_package(distribution: Distribution) -> str:
    new_enough = distribution.version is None or distribution.version >= CLIENT_APART_SINCE
    return "docker-cli" if new_enough else "docker.io"


def _install(packages: Sequence[str]) -> None:
    if _try_install(packages).ok:
        return
    run(["apt-get", "update"], env=_environment(), timeout_seconds=UPDATE_SECONDS)
    done = _try_install(packages)
    if not done.ok:
        tail = "\n".join(f"  {line}" for line in (done.stderr or done.stdout).splitlines()[-10:])
        raise ClusterError(
            f"apt-get could not install {' '.join(packages)}:\n{tail}",
            hint=f"type: apt-get install {' '.join(packages)}",
        )


def _try_install(packages: Sequence[str]) -> Completed:
    return attempt(
        ["apt-get", "install", "--yes", "--no-install-recommends", "-o", LOCK_OPTION, *packages],
        env=_environment(),
        timeout_seconds=INSTALL_SECONDS,
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def _installed() -> set[str]:
    lines = run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n"]).splitlines()
    return {line.split()[1] for line in lines if line.startswith("ii")}


def _remember(record: Path, packages: Iterable[str]) -> None:
    record.parent.mkdir(parents=True, exist_ok=True)
    everything = sorted({*installed_by_us(record), *packages})
    draft = record.with_suffix(".draft")
    draft.write_text(json.dumps(everything, indent=2) + "\n")
    draft.replace(record)


def _keep_units_disabled(added: set[str]) -> None:
    """Keep systemd from starting at the next boot what the packages enabled: two engines would share one firewall."""
    units = {"docker.io": ("docker.service", "docker.socket"), "containerd": ("containerd.service",)}
    ours = [unit for package, its_units in units.items() if package in added for unit in its_units]
    if ours and shutil.which("systemctl"):
        run(["systemctl", "disable", *ours])
