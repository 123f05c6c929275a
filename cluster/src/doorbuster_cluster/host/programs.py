"""Programs on PATH that the local cluster uses, and their versions."""

import re
from dataclasses import dataclass

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.host.packages import find_program
from doorbuster_cluster.process import attempt

VERSION_SECONDS = 20.0
VERSION = re.compile(r"\d+(?:\.\d+)+")

# How each program is asked for its version without asking anything of a cluster or engine.
QUESTIONS = {
    "docker": ("--version",),
    "kind": ("version",),
    "helm": ("version", "--short"),
    "kubectl": ("version", "--client"),
    "go": ("env", "GOVERSION"),
    "java": ("-version",),
    "mvn": ("--version",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFacts:
    """A program that is on PATH.

    Attributes:
        path: where it lies.
        version: its version's numbers, most significant first; None when it doesn't tell.
    """

    path: str
    version: tuple[int, ...] | None

    @property
    def shown_version(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version)) if self.version else "of an unknown version"


def find_with_version(name: str) -> ProgramFacts | None:
    """Return where the program lies and its version; None when it isn't on PATH."""
    path = find_program(name)
    if path is None:
        return None
    try:
        done = attempt([path, *QUESTIONS[name]], timeout_seconds=VERSION_SECONDS)
    except ClusterError:
        return ProgramFacts(path=path, version=None)
    # Java alone prints it to standard error.
    return ProgramFacts(path=path, version=parse_version(done.stdout) or parse_version(done.stderr))


def parse_version(text: str) -> tuple[int, ...] | None:
    """Return the first version number in the text, e.g. (1, 26, 8) for `go1.26.8`; None without one."""
    match = VERSION.search(text)
    return tuple(int(part) for part in match.group().split(".")) if match else None
