"""Which Linux distribution this is, as os-release(5) tells it."""

import shlex
from dataclasses import dataclass
from pathlib import Path

OS_RELEASE = Path("/etc/os-release")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A Linux distribution.

    Attributes:
        id: its lower-case name, e.g. `debian`; None on systems without an os-release file.
        version: its main version; None where it doesn't say, as Debian's testing and sid.
    """

    id: str | None
    version: int | None

    @property
    def is_debian(self) -> bool:
        """Whether it is Debian itself; its descendants have packages of other names and versions."""
        return self.id == "debian"


def read_distribution(os_release: Path = OS_RELEASE) -> Distribution:
    """Return what the os-release file says."""
    try:
        lines = os_release.read_text().splitlines()
    except OSError:
        return Distribution(id=None, version=None)
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    main_version = _plain(values.get("VERSION_ID", "")).partition(".")[0]
    return Distribution(
        id=_plain(values.get("ID", "")) or None,
        version=int(main_version) if main_version.isdecimal() else None,
    )


def _plain(value: str) -> str:
    """Return a value without the quotes of a shell's assignment."""
    return "".join(shlex.split(value))
