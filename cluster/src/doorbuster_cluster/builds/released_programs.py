"""Published programs, for machines that reach the sites of kind, helm and Kubernetes.

Each is checked against the checksum that the same site publishes. Never needs root.
"""

import hashlib
import http.client
import io
import platform
import tarfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.engines import go_architecture

DOWNLOAD_SECONDS = 60.0
LARGEST_BYTES = 200 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedProgram:
    """One published program.

    Attributes:
        name: its file name.
        version: as it appears in `url`.
        url: where it is, with {version}, {system} (linux, darwin) and {architecture} (amd64, arm64).
        checksum: what to append to the URL for its SHA-256; with a slash in front, the file beside it that lists
            those of all files.
        member: path inside the archive at `url`; None when the file is the program itself.
    """

    name: str
    version: str
    url: str
    checksum: str
    member: str | None = None

    def path(self, cache: Path) -> Path:
        """Return where the program is kept once it was downloaded."""
        return cache / "programs" / f"{self.name}-{self.version}" / self.name

    def download(self, cache: Path) -> Path:
        """Return the program's path, downloaded and checked unless it is kept already.

        Raises:
            ClusterError: the site isn't in reach, or the file isn't what its checksum says.
        """
        target = self.path(cache)
        if target.exists():
            return target
        url = self._fill(self.url)
        content = _fetch(url)
        if hashlib.sha256(content).hexdigest() != self._wanted(url):
            raise ClusterError(f"{url} isn't what its checksum says", hint="try again; tell the site if it stays so")
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".unfinished")
        unfinished.write_bytes(self._unpacked(content))
        unfinished.chmod(0o755)
        return unfinished.rename(target)

    def _wanted(self, url: str) -> str | None:
        """Return the checksum that the site publishes for the file; None when it publishes none."""
        folder, _, file = url.rpartition("/")
        if not self.checksum.startswith("/"):
            # The checksum, and for some programs the file's name behind it.
            return next(iter(_text(f"{url}{self.checksum}").split()), None)
        lines = (line.split() for line in _text(f"{folder}{self.checksum}").splitlines())
        return next((words[0] for words in lines if words[1:] == [file]), None)

    def _fill(self, pattern: str) -> str:
        return pattern.format(
            version=self.version, system=platform.system().lower(), architecture=go_architecture(platform.machine())
        )

    def _unpacked(self, content: bytes) -> bytes:
        if self.member is None:
            return content
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            path = self._fill(self.member)
            member = archive.extractfile(path) if path in archive.getnames() else None
            if member is None:
                raise ClusterError(f"the archive of {self.name} has no {path}")
            return member.read()


RELEASED = {
    program.name: program
    for program in (
        ReleasedProgram(
            name="kind",
            version="v0.33.0",
            url="https://kind.sigs.k8s.io/dl/{version}/kind-{system}-{architecture}",
            checksum=".sha256sum",
        ),
        ReleasedProgram(
            name="helm",
            version="v4.3.1",
            url="https://get.helm.sh/helm-{version}-{system}-{architecture}.tar.gz",
            checksum=".sha256sum",
            member="{system}-{architecture}/helm",
        ),
        ReleasedProgram(
            name="kubectl",
            version="v1.35.4",
            url="https://dl.k8s.io/release/{version}/bin/{system}/{architecture}/kubectl",
            checksum=".sha256",
        ),
    )
}


def _text(url: str) -> str:
    return _fetch(url).decode(errors="replace")


def _fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=DOWNLOAD_SECONDS) as answer:  # noqa: S310  # only the URLs above
            content: bytes = answer.read(LARGEST_BYTES + 1)
    except (OSError, http.client.HTTPException) as exc:
        raise ClusterError(f"{url} can't be fetched: {exc}") from exc
    if len(content) > LARGEST_BYTES:
        raise ClusterError(f"{url} is larger than {LARGEST_BYTES // 2**20} MiB")
    return content
