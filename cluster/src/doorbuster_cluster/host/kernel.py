"""Reads what the kernel shows as files: sysctls, mounts, control groups, and names of namespaces."""

from collections.abc import Iterable
from pathlib import Path

SYSCTLS = Path("/proc/sys")
MOUNTS = Path("/proc/self/mountinfo")
CGROUPS = Path("/sys/fs/cgroup")
NAMESPACES = Path("/run/netns")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# Values outside the network's own namespaces, which a node's container therefore changes for the whole machine.
KUBELETS = (
    # kubelet's --protect-kernel-defaults lists them.
    "vm.overcommit_memory",
    "vm.panic_on_oom",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.keys.root_maxbytes",
    "kernel.keys.root_maxkeys",
)
SYSTEMDS = (
    # systemd itself raises these when it starts ...
    "fs.file-max",
    "fs.nr_open",
    # ... and systemd-sysctl applies the sysctl.d files of systemd, systemd-coredump and procps.
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "fs.suid_dumpable",
    "kernel.core_pattern",
    "kernel.core_pipe_limit",
    "kernel.core_uses_pid",
    "kernel.dmesg_restrict",
    "kernel.kptr_restrict",
    "kernel.pid_max",
    "kernel.printk",
    "kernel.sysrq",
    "kernel.yama.ptrace_scope",
    "vm.mmap_min_addr",
)
COMMONLY_RAISED = (
    "fs.inotify.max_queued_events",
    "fs.inotify.max_user_instances",
    "fs.inotify.max_user_watches",
    "kernel.keys.maxbytes",
    "kernel.keys.maxkeys",
    "vm.max_map_count",
    "vm.swappiness",
)
WATCHED_SYSCTLS = (*KUBELETS, *SYSTEMDS, *COMMONLY_RAISED)
# Engines forward packets and kube-proxy sizes connection tracking, by names that depend on the kernel: all of them.
WATCHED_TREE = "net"
# Counters, lists that grow with loaded modules, and secrets.
UNSTEADY = (
    "net.netfilter.nf_conntrack_count",
    "net.ipv4.tcp_available_congestion_control",
    "net.ipv4.tcp_allowed_congestion_control",
    "net.ipv4.tcp_available_ulp",
    "net.ipv4.tcp_fastopen_key",
    "net.mptcp.available_schedulers",
)
# Folders whose mounts and files belong to an engine or a kubelet.
ENGINE_FOLDERS = ("/run/docker", "/var/lib/docker", "/run/containerd", "/var/lib/containerd", "/var/lib/kubelet")
# What a Docker engine creates outside its own folders however it is configured; /etc/docker itself is the package's.
ENGINE_FILES = ("/etc/docker/key.json", "/run/docker", "/run/containerd", "/opt/containerd")
# How engines and kubelets name their groups under either cgroup driver.
CGROUP_NAMES = ("docker", "kubelet", "kubepods", "kubelet.slice", "kubepods.slice")


def read_boot_id() -> str:
    """Return the kernel's random name for this boot."""
    return BOOT_ID.read_text().strip()


def read_sysctls(root: Path = SYSCTLS) -> dict[str, str]:
    """Return the watched values that this process may read, by name."""
    files = [root / name.replace(".", "/") for name in WATCHED_SYSCTLS]
    files += sorted((root / WATCHED_TREE).rglob("*"))
    values = {name_of(path, root): _read_value(path) for path in files}
    return {name: value for name, value in values.items() if value is not None and name not in UNSTEADY}


def name_of(path: Path, root: Path = SYSCTLS) -> str:
    """Return the sysctl's name; a dot inside a part becomes a slash, as sysctl(8) writes `eth0.100`."""
    return ".".join(part.replace(".", "/") for part in path.relative_to(root).parts)


def path_of(name: str, root: Path = SYSCTLS) -> Path:
    """Return the file of a sysctl: the reverse of `name_of`."""
    return root.joinpath(*(part.replace("/", ".") for part in name.split(".")))


def read_mounts(folders: Iterable[str], mountinfo: Path = MOUNTS) -> tuple[str, ...]:
    """Return the mount points at or below the folders, sorted (the fifth field of proc_pid_mountinfo(5))."""
    points = (_unescaped(line.split()[4]) for line in mountinfo.read_text().splitlines())
    prefixes = tuple(folders)
    return tuple(sorted(point for point in points if any(_is_below(point, prefix) for prefix in prefixes)))


def read_cgroups(root: Path = CGROUPS) -> tuple[str, ...]:
    """Return the groups that engines and kubelets made, outermost only.

    With version 1 each controller has a tree of its own, one folder deeper than the single one of version 2.
    """
    candidates = [root / name for name in CGROUP_NAMES]
    candidates += [path for name in CGROUP_NAMES for path in root.glob(f"*/{name}")]
    return tuple(sorted(str(path) for path in candidates if path.is_dir()))


def read_namespaces(folder: Path = NAMESPACES) -> tuple[str, ...]:
    """Return the names of network namespaces that somebody gave one, sorted (ip-netns(8))."""
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()


def read_files(paths: Iterable[str] = ENGINE_FILES) -> tuple[str, ...]:
    """Return those of the paths that exist, sorted."""
    return tuple(sorted(path for path in paths if Path(path).exists()))


def _read_value(path: Path) -> str | None:
    try:
        # Some are write-only, some answer only to the kernel's own programs.
        return path.read_text().strip() if path.is_file() else None
    except (OSError, UnicodeDecodeError):
        return None


def _unescaped(point: str) -> str:
    """Undo the kernel's octal escapes for blanks, tabs, newlines and backslashes in mount points."""
    for octal, plain in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(octal, plain)
    return point


def _is_below(point: str, folder: str) -> bool:
    return point == folder or point.startswith(f"{folder}/")
