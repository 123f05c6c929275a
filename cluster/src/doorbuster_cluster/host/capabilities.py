"""What this process may do, by the kernel's capabilities(7)."""

from enum import IntEnum
from pathlib import Path

STATUS = Path("/proc/self/status")


class Capability(IntEnum):
    """The bit of a capability in a capability set (linux/capability.h)."""

    SYS_RESOURCE = 24


def has_capability(capability: Capability, status: Path = STATUS) -> bool | None:
    """Return whether the capability is in this process's effective set; None where the kernel doesn't tell."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> capability & 1)
    return None
