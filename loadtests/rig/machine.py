"""What this machine is: every figure is worth as much as the machine that it came from."""

import os
from pathlib import Path

MEMORY = Path("/proc/meminfo")
PROCESSORS = Path("/proc/cpuinfo")
KIB_IN_GIB = 1024 * 1024


def usable_cores() -> int:
    """Return how many cores processes may use; where the system doesn't tell that, as macOS, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_gib(meminfo: str) -> float | None:
    """Return the machine's memory from what the kernel tells; None when it doesn't."""
    for line in meminfo.splitlines():
        name, _, rest = line.partition(":")
        if name == "MemTotal":
            return round(int(rest.split()[0]) / KIB_IN_GIB, 1)
    return None


def processor(cpuinfo: str) -> str | None:
    """Return what the processor calls itself, from what the kernel tells; None when it doesn't."""
    for line in cpuinfo.splitlines():
        name, _, rest = line.partition(":")
        if name.strip() == "model name":
            return rest.strip()
    return None


def read_fact(path: Path) -> str:
    """Return what the kernel tells there; empty where there is no such file."""
    return path.read_text() if path.exists() else ""
