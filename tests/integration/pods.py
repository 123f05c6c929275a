"""Containers that stand for the pods of a StatefulSet.

Like a kubelet does it, each pod has one container that holds the network name space and does nothing; the others join
it. So a server can die and come back under the same address, and a whole pod can be cut off the network. Containers run
as the charts run them: numeric user, read-only root, no capabilities, scripts mounted.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from docker.errors import APIError  # type: ignore[import-untyped]  # the engine's client has no types
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.network import Network

DATA_FOLDER = "/data"
# Where the holder sees the folders that outlive a container.
STATES_FOLDER = "/states"
# The engine would give an empty volume the owner that the image's folder has, at each mount.
VOLUME_MODE = "rw,nocopy"
STOP_SECONDS = 30
# Most of the 256 subnets are free, also beside a second run; a machine where twenty in a row are taken has a problem.
SUBNET_ATTEMPTS = 20


class PodNetwork:
    """A bridge network in which pods have fixed addresses and names; the host reaches the addresses."""

    def __init__(self, subnet: IPv4Network) -> None:
        self._subnet = subnet
        ipam = {"Driver": "default", "Config": [{"Subnet": str(subnet)}]}
        self.bridge = Network(docker_network_kw={"ipam": ipam})

    def __enter__(self) -> Self:
        self.bridge.create()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bridge.remove()

    def address(self, ordinal: int) -> str:
        """The address of the pod with this ordinal; the first ones of the subnet belong to the engine."""
        return str(IPv4Address(int(self._subnet.network_address) + 10 + ordinal))


@contextmanager
def free_network() -> Iterator[PodNetwork]:
    """Make a network in a subnet that nobody has: other tests run beside these.

    Raises:
        RuntimeError: no subnet was free in twenty attempts.
    """
    for _ in range(SUBNET_ATTEMPTS):
        network = PodNetwork(IPv4Network(f"10.78.{random.randrange(256)}.0/24"))
        try:
            network.__enter__()
        except APIError as error:
            if "overlap" not in str(error):
                raise
            continue
        try:
            yield network
        finally:
            network.__exit__(None, None, None)
        return
    raise RuntimeError("no subnet of 10.78.0.0/16 is free")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlan:
    """One container of a pod: what the StatefulSet says about it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    mounts: Mapping[Path, str]
    """Files and folders of the host, and where the container sees them, read-only."""
    writable: Sequence[str] = ()
    """Folders that outlive the container but not the pod (emptyDir)."""
    memory: str = "1g"


@dataclass(slots=True, kw_only=True)
class Pod:
    """One pod with a volume of its own at /data."""

    name: str
    address: str
    network: PodNetwork
    image: str
    user: str
    plans: Mapping[str, ContainerPlan]
    _holder: DockerContainer | None = None
    _containers: dict[str, DockerContainer] = field(default_factory=dict)
    _identity: str = field(default_factory=lambda: uuid4().hex[:8])

    def create(self) -> None:
        """Make the volumes and start all containers."""
        self._holder = self._start_holder()
        self._in_holder("chown", "--recursive", self.user, DATA_FOLDER, STATES_FOLDER)
        for name, plan in self.plans.items():
            self._containers[name] = self._start_container(name, plan)

    def remove(self) -> None:
        """Stop all containers, in whatever state they are, and remove the volumes."""
        for container in (*self._containers.values(), self._holder):
            if container is not None:
                container.stop(force=True)
        for volume in (self._volume("data"), *self._states()):
            docker_client().volumes.get(volume).remove(force=True)

    def kill(self) -> None:
        """Kill all containers at once, as a power cut does."""
        for name in self._containers:
            self.kill_container(name)

    def kill_container(self, name: str) -> None:
        """Kill one container; nothing starts it again."""
        self._wrapped(name).kill()

    def start(self) -> None:
        """Start the containers again."""
        for name in self._containers:
            self.start_container(name)

    def start_container(self, name: str) -> None:
        """Start one container again; what it had in memory is gone, its volume is kept."""
        self._wrapped(name).start()

    def stop_container(self, name: str) -> None:
        """End one container by its signal, as the deletion of the pod does."""
        self._wrapped(name).stop(timeout=STOP_SECONDS)

    def empty_volume(self) -> None:
        """Lose everything that is on the volume."""
        self._in_holder("find", DATA_FOLDER, "-mindepth", "1", "-delete")

    def read_data(self, path: str) -> str:
        """The text of a file on the volume, also while the pod's servers are stopped."""
        return self._in_holder("cat", f"{DATA_FOLDER}/{path}")

    def replace_in_data(self, path: str, pattern: str, replacement: str) -> None:
        """Change a file on the volume, line by line, as sed does."""
        self._in_holder("sed", "-i", f"s/{pattern}/{replacement}/", f"{DATA_FOLDER}/{path}")

    def remove_data(self, path: str) -> None:
        """Remove a file from the volume."""
        self._in_holder("rm", f"{DATA_FOLDER}/{path}")

    def isolate(self) -> None:
        """Cut the pod off the network, for its peers and for the host."""
        self._bridge().disconnect(self._holder_id(), force=True)

    def rejoin(self) -> None:
        """End the isolation, with the same address."""
        self._bridge().connect(self._holder_id(), ipv4_address=self.address, aliases=[self.name])

    def execute(self, name: str, *command: str) -> str:
        """The output of a command in one container.

        Raises:
            AssertionError: the command failed.
        """
        code, output = self._wrapped(name).exec_run(list(command))
        assert code == 0, output.decode()
        return str(output.decode())

    def identity_of(self, name: str) -> str:
        """The engine's id of one container, for a client of the engine outside of Python."""
        return str(self._wrapped(name).id)

    def exit_code(self, name: str) -> int | None:
        """The exit code of one container; None while it runs."""
        container = self._wrapped(name)
        container.reload()
        state = container.attrs["State"]
        return None if state["Running"] else int(state["ExitCode"])

    def logs(self, name: str) -> str:
        """What one container has printed since it was made."""
        return str(self._wrapped(name).logs().decode())

    def _start_holder(self) -> DockerContainer:
        endpoint = docker_client().api.create_endpoint_config(ipv4_address=self.address, aliases=[self.name])
        bridge = self.network.bridge.name
        holder = DockerContainer(self.image).with_command(["sleep", "infinity"])
        holder.with_kwargs(
            network=bridge, networking_config={bridge: endpoint}, hostname=self.name, user="0:0", entrypoint=[]
        )
        holder.with_volume_mapping(self._volume("data"), DATA_FOLDER, VOLUME_MODE)
        for volume in self._states():
            holder.with_volume_mapping(volume, f"{STATES_FOLDER}/{volume}", VOLUME_MODE)
        return holder.start()

    def _start_container(self, name: str, plan: ContainerPlan) -> DockerContainer:
        container = DockerContainer(self.image).with_command(list(plan.command)).with_envs(**plan.environment)
        container.with_volume_mapping(self._volume("data"), DATA_FOLDER, VOLUME_MODE)
        for source, target in plan.mounts.items():
            container.with_volume_mapping(str(source), target, "ro")
        for folder in plan.writable:
            container.with_volume_mapping(self._volume(name, folder), folder, VOLUME_MODE)
        container.with_kwargs(
            network_mode=f"container:{self._holder_id()}",
            user=self.user,
            entrypoint=[],
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=plan.memory,
        )
        return container.start()

    def _states(self) -> list[str]:
        return [self._volume(name, folder) for name, plan in self.plans.items() for folder in plan.writable]

    def _volume(self, owner: str, folder: str = "") -> str:
        return f"doorbuster-test-{self.name}-{owner}{folder.replace('/', '-')}-{self._identity}"

    def _in_holder(self, *command: str) -> str:
        assert self._holder is not None
        code, output = self._holder.get_wrapped_container().exec_run(list(command))
        assert code == 0, output.decode()
        return str(output.decode())

    def _holder_id(self) -> str:
        assert self._holder is not None
        return str(self._holder.get_wrapped_container().id)

    def _bridge(self) -> Any:  # the engine's client has no types
        return docker_client().networks.get(self.network.bridge.name)

    def _wrapped(self, name: str) -> Any:
        return self._containers[name].get_wrapped_container()


@cache
def docker_client() -> Any:
    """The engine's own client, for what testcontainers doesn't offer."""
    return DockerClient().client
