"""What this machine is and has (PLATFORM_RULES P1): each fact found out by itself, each bounded in time.

A fact that can't be found out is None and never a guess; what follows from the facts is `doctor`'s part.
"""

import os
import platform
import shutil
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from doorbuster_cluster.host.capabilities import Capability, has_capability
from doorbuster_cluster.host.distribution import Distribution, read_distribution
from doorbuster_cluster.host.engines import (
    EngineAnswer,
    EngineFacts,
    ask_engine,
    ask_for_privileges,
    ask_registry,
    cgroup_version,
    go_architecture,
    published_ports,
)
from doorbuster_cluster.host.packages import Purpose, missing_packages
from doorbuster_cluster.host.programs import QUESTIONS, ProgramFacts, find_with_version
from doorbuster_cluster.settings import Settings

# Of the containers that publish ports: one registry for all clusters, and kind's name for a cluster's first node.
REGISTRY_CONTAINER = "doorbuster-registry"
NODE_CONTAINER = "{cluster}-control-plane"
LOCAL_ADDRESS = "127.0.0.1"


class PortState(StrEnum):
    """Who has a port."""

    FREE = "free"
    OURS = "ours"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortFacts:
    """A port on 127.0.0.1.

    Attributes:
        number: the port.
        variable: the environment variable that chooses it.
        state: whether it can be used.
        holder: name of the container that publishes it; None when it isn't a container that we can see.
    """

    number: int
    variable: str
    state: PortState
    holder: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """Everything that `doctor` judges. None stands for *not known* wherever it is allowed.

    Attributes:
        system: the kernel's name, e.g. `Linux`, `Darwin`.
        architecture: as Go names it, e.g. `amd64`.
        distribution: which Linux it is.
        is_root: whether this process is root.
        cores: CPUs of the machine.
        memory_bytes: memory of the machine.
        free_disk_bytes: free space where the cache folder is, or will be.
        built_before: whether programs from an earlier build are kept there.
        sys_resource: whether root has CAP_SYS_RESOURCE, which privileged containers ask for.
        cgroup_version: 1 or 2, of the machine itself.
        existing_engine: the person's own engine.
        existing_privileged: whether that runs privileged containers.
        existing_refusal: why it doesn't answer, in the client's words; empty when it does.
        own_engine: the engine that we started, when it runs.
        foreign_daemons: process ids of container daemons that aren't ours.
        registry_reachable: whether a public container registry answers.
        ports: the ports that the cluster publishes.
        programs: those of `programs.QUESTIONS` that are on PATH.
        missing_packages: the Debian packages that each purpose lacks; empty on other systems.
    """

    system: str
    architecture: str
    distribution: Distribution
    is_root: bool
    cores: int
    memory_bytes: int
    free_disk_bytes: int
    built_before: bool
    sys_resource: bool | None
    cgroup_version: int | None
    existing_engine: EngineFacts | None
    existing_privileged: bool | None
    existing_refusal: str
    own_engine: EngineFacts | None
    foreign_daemons: tuple[int, ...]
    registry_reachable: bool | None
    ports: tuple[PortFacts, ...]
    programs: Mapping[str, ProgramFacts]
    missing_packages: Mapping[Purpose, tuple[str, ...]]


def collect_facts(settings: Settings) -> MachineFacts:
    """Find out everything about this machine. Changes nothing; takes some seconds, minutes where an engine hangs."""
    # In threads, because they all wait: for the network, for Java to start, for an engine that may be gone.
    with ThreadPoolExecutor(max_workers=8) as pool:
        registry = pool.submit(ask_registry, None)
        programs = pool.map(find_with_version, QUESTIONS)
        existing, own = _ask_engines(settings)
        # Ours does: it is started so that it can.
        privileged = ask_for_privileges(existing.facts.address) if existing.facts else None
        ports = _ports(settings, [answer for answer in (existing, own) if answer.facts])
        found = dict(zip(QUESTIONS, programs, strict=True))
        reachable = registry.result()
    distribution = read_distribution()
    return MachineFacts(
        system=platform.system(),
        architecture=go_architecture(platform.machine()),
        distribution=distribution,
        is_root=os.geteuid() == 0,
        cores=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        free_disk_bytes=shutil.disk_usage(_nearest_folder(settings.cache)).free,
        built_before=any((settings.cache / "programs").glob("hyperkube-*/hyperkube")),
        sys_resource=has_capability(Capability.SYS_RESOURCE),
        cgroup_version=cgroup_version(),
        existing_engine=existing.facts,
        existing_privileged=privileged,
        existing_refusal=existing.refusal,
        own_engine=own.facts,
        foreign_daemons=find_foreign_daemons(own_engine_folder(settings)),
        registry_reachable=reachable,
        ports=ports,
        programs={name: program for name, program in found.items() if program},
        missing_packages=_missing_packages(distribution),
    )


def own_engine_folder(settings: Settings) -> Path:
    """Return where our own engine keeps its socket and data."""
    return settings.cache / "engine"


def find_foreign_daemons(own_folder: Path, processes: Path = Path("/proc")) -> tuple[int, ...]:
    """Return the ids of the dockerd processes beside us whose files aren't in `own_folder`.

    Beside us means: in the same network namespace, where they would share one firewall with ours.
    """
    here = _network_namespace(processes / "self")
    entries = [entry for entry in processes.glob("[0-9]*") if _is_foreign_daemon(entry, os.fsencode(own_folder))]
    return tuple(sorted(int(entry.name) for entry in entries if _network_namespace(entry) in (here, None)))


def _is_foreign_daemon(entry: Path, own_folder: bytes) -> bool:
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[0].rpartition(b"/")[2] == b"dockerd" and not any(own_folder in word for word in words)


def _network_namespace(entry: Path) -> str | None:
    """Return the name of a process's network namespace; None when it may not be read."""
    try:
        return str((entry / "ns" / "net").readlink())
    except OSError:
        return None


def _ask_engines(settings: Settings) -> tuple[EngineAnswer, EngineAnswer]:
    """Return the person's engine and ours; DOCKER_HOST may well point to ours."""
    folder = own_engine_folder(settings)
    socket_file = folder / "docker.sock"
    nothing = EngineAnswer(facts=None, refusal="we started none")
    own = ask_engine(f"unix://{socket_file}") if socket_file.exists() else nothing
    existing = ask_engine(None)
    if existing.facts and own.facts and existing.facts.data_root == own.facts.data_root:
        return EngineAnswer(facts=None, refusal="the only engine that answers is the one we started"), own
    return existing, own


def _ports(settings: Settings, answers: list[EngineAnswer]) -> tuple[PortFacts, ...]:
    published: dict[int, str] = {}
    for answer in answers:
        if answer.facts:
            published |= published_ports(answer.facts.address) or {}
    wanted = {"DOORBUSTER_PORT": settings.port, "DOORBUSTER_REGISTRY_PORT": settings.registry_port}
    return tuple(_port(variable, number, published, settings.cluster) for variable, number in wanted.items())


def _port(variable: str, number: int, published: Mapping[int, str], cluster: str) -> PortFacts:
    holder = published.get(number)
    if holder in {REGISTRY_CONTAINER, NODE_CONTAINER.format(cluster=cluster)}:
        state = PortState.OURS
    else:
        state = PortState.FREE if holder is None and _can_listen(number) else PortState.TAKEN
    return PortFacts(number=number, variable=variable, state=state, holder=holder)


def _can_listen(number: int) -> bool:
    with socket.socket() as listener:
        # As servers do it: connections that have just ended don't make a port taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOCAL_ADDRESS, number))
        except OSError:
            return False
    return True


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _missing_packages(distribution: Distribution) -> dict[Purpose, tuple[str, ...]]:
    if not distribution.is_debian:
        return {}
    return {purpose: missing_packages(purpose, distribution) for purpose in Purpose}
