"""Asks container engines about themselves, each question by itself and bounded in time.

Here `docker` is spoken to directly, and not through the engine that the cluster uses later: which one that will be is
decided from these answers.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import Completed, attempt

INFO_SECONDS = 15.0
LIST_SECONDS = 15.0
PRIVILEGED_SECONDS = 30.0
REGISTRY_SECONDS = 20.0
# Small, public, for every architecture, and always there.
REGISTRY_PROBE = "docker.io/library/busybox:latest"
# A program that images with a shell have; those without can't answer the question.
HARMLESS_PROGRAM = "/bin/true"
IMAGES_TRIED = 3
REFUSALS = ("operation not permitted", "permission denied", "not allowed", "cannot set privileged", "rootless")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """An engine that answers.

    Attributes:
        address: value of DOCKER_HOST that reaches it; None when the client finds it by its own configuration.
        version: the daemon's own version.
        architecture: as Go names it, e.g. `amd64`.
        cores: CPUs that its containers can use; on macOS those of its virtual machine.
        memory_bytes: memory that its containers can use.
        cgroup_version: 1 or 2; None when it doesn't say.
        data_root: where it keeps images and containers, on the machine that it runs on.
    """

    address: str | None
    version: str
    architecture: str
    cores: int
    memory_bytes: int
    cgroup_version: int | None
    data_root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineAnswer:
    """What asking for an engine brought: its facts, or the client's words why there are none."""

    facts: EngineFacts | None
    refusal: str


def ask_engine(address: str | None) -> EngineAnswer:
    """Return what the engine at the address says about itself.

    Args:
        address: value for DOCKER_HOST; None asks the one that the client's configuration names.
    """
    done = _docker(address, "info", "--format", "{{json .}}", seconds=INFO_SECONDS)
    if done is None:
        return EngineAnswer(facts=None, refusal="there is no docker client, or it did not answer in time")
    info = _json_object(done.stdout)
    if not info.get("ServerVersion"):
        return EngineAnswer(facts=None, refusal=_first_line(done.stderr) or "the engine did not answer")
    return EngineAnswer(facts=_engine_facts(address, info), refusal="")


def ask_registry(address: str | None) -> bool | None:
    """Return whether a manifest of a public image can be read; None without a docker client."""
    done = _docker(address, "manifest", "inspect", REGISTRY_PROBE, seconds=REGISTRY_SECONDS)
    if done is None:
        return None if _docker(None, "--version", seconds=LIST_SECONDS) is None else False
    return done.ok


def ask_for_privileges(address: str | None) -> bool | None:
    """Return whether the engine runs privileged containers; None without a local image to try it with.

    No image is pulled only to find out: that would fail where no registry is in reach.
    """
    listed = _docker(address, "image", "ls", "--quiet", seconds=LIST_SECONDS)
    if listed is None or not listed.ok:
        return None
    for image in list(dict.fromkeys(listed.stdout.split()))[:IMAGES_TRIED]:
        done = _docker(
            address, "run", "--rm", "--privileged", "--network", "none", "--entrypoint", HARMLESS_PROGRAM, image,
            seconds=PRIVILEGED_SECONDS,
        )  # fmt: skip
        if done is not None and done.ok:
            return True
        if done is not None and any(words in done.stderr.lower() for words in REFUSALS):
            return False
    return None


def published_ports(address: str | None) -> dict[int, str] | None:
    """Return the host's ports that running containers of the engine publish, with the container's name.

    None when the engine doesn't tell.
    """
    listed = _docker(address, "ps", "--quiet", seconds=LIST_SECONDS)
    if listed is None or not listed.ok:
        return None
    containers = listed.stdout.split()
    if not containers:
        return {}
    shape = '{"name": {{json .Name}}, "ports": {{json .HostConfig.PortBindings}}}'
    done = _docker(address, "inspect", "--format", shape, *containers, seconds=LIST_SECONDS)
    if done is None:
        return None
    return {port: name for line in done.stdout.splitlines() for port, name in _bindings(_json_object(line))}


def cgroup_version(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the version of control groups that this machine mounts (cgroups(7)); None without any."""
    if not root.is_dir():
        return None
    return 2 if (root / "cgroup.controllers").exists() else 1


def _engine_facts(address: str | None, info: Mapping[str, object]) -> EngineFacts:
    version = str(info.get("CgroupVersion", ""))
    return EngineFacts(
        address=address,
        version=str(info["ServerVersion"]),
        architecture=go_architecture(str(info.get("Architecture", ""))),
        cores=_number(info.get("NCPU")),
        memory_bytes=_number(info.get("MemTotal")),
        cgroup_version=int(version) if version.isdecimal() else None,
        data_root=str(info.get("DockerRootDir", "")),
    )


def go_architecture(machine: str) -> str:
    """Return Go's name for a machine type of uname(2), as images use it; other names stay as they are."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _docker(address: str | None, *arguments: str, seconds: float) -> Completed | None:
    """Return how docker ended; None when it could not be started or took too long."""
    environment = dict(os.environ)
    # Clients before 20.10 hide `docker manifest` behind this.
    environment["DOCKER_CLI_EXPERIMENTAL"] = "enabled"
    if address is not None:
        environment["DOCKER_HOST"] = address
        environment.pop("DOCKER_CONTEXT", None)
    try:
        return attempt(["docker", *arguments], env=environment, timeout_seconds=seconds)
    except ClusterError:
        return None


def _bindings(container: Mapping[str, object]) -> list[tuple[int, str]]:
    name, ports = str(container.get("name", "")).lstrip("/"), container.get("ports")
    groups = ports.values() if isinstance(ports, dict) else ()
    numbers = [str(binding.get("HostPort", "")) for group in groups for binding in group or ()]
    return [(int(number), name) for number in numbers if number.isdecimal()]


def _json_object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
