"""promtool, which checks and tests alert rules: a person's own, out of a package of this Debian, or released."""

import tempfile
from pathlib import Path

from doorbuster_cluster.builds.released_programs import ReleasedProgram
from doorbuster_cluster.host.distribution import Distribution
from doorbuster_cluster.host.packages import find_program
from doorbuster_cluster.process import attempt, run

NAME = "promtool"
# From Debian 13 on it has a package of its own.
APART_SINCE = 13
FETCH_SECONDS = 300.0
# The version of the chart's default image.
PUBLISHED = ReleasedProgram(
    name=NAME,
    version="2.53.3",
    url="https://github.com/prometheus/prometheus/releases/download/v{version}/"
    "prometheus-{version}.{system}-{architecture}.tar.gz",
    checksum="/sha256sums.txt",
    member="prometheus-{version}.{system}-{architecture}/promtool",
)


def provide_promtool(cache: Path, distribution: Distribution) -> Path:
    """Return where promtool lies: on PATH, else kept in the cache, fetched the first time. Never needs root.

    Raises:
        ClusterError: neither Debian's mirror nor the releases' site is in reach.
    """
    on_path = find_program(NAME)
    if on_path is not None:
        return Path(on_path)
    return _unpacked(cache, distribution) if distribution.is_debian else PUBLISHED.download(cache)


def _unpacked(cache: Path, distribution: Distribution) -> Path:
    """Return the program alone: the package would bring a server that starts by itself."""
    target = cache / "programs" / f"{NAME}-debian" / NAME
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{NAME}-", dir=cache) as name:
        folder = Path(name)
        run(["dpkg", "-x", _fetch(folder, _package(distribution)), folder], timeout_seconds=FETCH_SECONDS)
        return (folder / "usr" / "bin" / NAME).rename(target)


def _package(distribution: Distribution) -> str:
    apart = distribution.version is None or distribution.version >= APART_SINCE
    return NAME if apart else "prometheus"


def _fetch(folder: Path, package: str) -> Path:
    download = ["apt-get", "download", package]
    if not attempt(download, cwd=folder, timeout_seconds=FETCH_SECONDS).ok:
        # A fresh machine has no lists yet; who isn't root is told so by apt-get.
        run(["apt-get", "update"], timeout_seconds=FETCH_SECONDS)
        run(download, cwd=folder, timeout_seconds=FETCH_SECONDS)
    return next(folder.glob("*.deb"))
