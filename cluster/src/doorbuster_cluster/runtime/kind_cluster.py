"""The kind cluster itself: made, connected to the registry, cut off from the world where that is wanted, removed."""

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.process import attempt, run
from doorbuster_cluster.runtime.registry import INSIDE_PORT, NAME, Registry
from doorbuster_cluster.runtime.toolbox import Toolbox
from doorbuster_cluster.settings import Settings

CREATE_SECONDS = 300.0
READY_WAIT = "180s"
START_SECONDS = 120.0
INGRESS_PORT = 80


def configuration(settings: Settings) -> dict[str, object]:
    """Return kind's configuration of the cluster: one node, its port 80 on a port of 127.0.0.1."""
    mapping = {"containerPort": INGRESS_PORT, "hostPort": settings.port, "listenAddress": "127.0.0.1"}
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": settings.cluster,
        # Traffic to a Service without endpoints is dropped here; with iptables it can leave the machine.
        "networking": {"kubeProxyMode": "nftables"},
        # The published node image reads the registry's folder only when told; ours always does.
        "containerdConfigPatches": [
            '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n'
        ],
        "nodes": [{"role": "control-plane", "extraPortMappings": [mapping]}],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServer:
    """Where pods find the API server behind its Service: what a NetworkPolicy sees.

    Attributes:
        address: of the node; it keeps it over restarts.
        port: on the node.
    """

    address: str
    port: int

    def values(self) -> dict[str, object]:
        """Return it as our charts' values want it."""
        return {"cidr": str(ipaddress.ip_network(self.address)), "port": self.port}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCluster:
    """One kind cluster of one node."""

    settings: Settings
    tools: Toolbox

    @property
    def node(self) -> str:
        """The name of the node and of its container, as kind gives it."""
        return f"{self.settings.cluster}-control-plane"

    def exists(self) -> bool:
        """Return whether the node's container is there, running or not."""
        return self._engine.try_docker("inspect", "--format", "{{.Id}}", self.node).ok

    def is_running(self, image: str) -> bool:
        """Return whether the node runs, was made from this image, and its API server answers."""
        answer = self._engine.try_docker("inspect", "--format", "{{.State.Running}} {{.Config.Image}}", self.node)
        runs = answer.stdout.split() == ["true", image] and self._complete.exists()
        return runs and self.tools.try_kubectl("get", "--raw", "/readyz").ok

    def image(self) -> str | None:
        """Return the name of the image that the node was made from, None without a node."""
        answer = self._engine.try_docker("inspect", "--format", "{{.Config.Image}}", self.node)
        return answer.stdout.strip() if answer.ok else None

    def api_server(self) -> ApiServer:
        """Return where the cluster's API server says that it is.

        Raises:
            CommandFailed: it doesn't answer.
        """
        path = "jsonpath={.endpoints[0].addresses[0]} {.ports[0].port}"
        place = ("endpointslice", "kubernetes", "--namespace", "default")
        address, port = self.tools.kubectl("get", *place, "--output", path).split()
        return ApiServer(address=address, port=int(port))

    def create(self, image: str) -> None:
        """Make the cluster, or start it again when its node was stopped.

        Raises:
            CommandFailed: kind failed; its message says at which step.
            ClusterError: the cluster was made from another node image.
        """
        if self.exists() and not self._complete.exists():
            # A run was killed while kind was at work; what it left can't be finished.
            self.delete()
        if not self.exists():
            self._make(image)
            return
        if self.image() != image:
            raise ClusterError(
                f"the cluster {self.settings.cluster} was made from another node image",
                hint="type `make down` and `make up`; the volumes' data goes with the cluster",
            )
        self._engine.docker("start", self.node, timeout_seconds=START_SECONDS)
        self._wait_for_node()

    def delete(self) -> None:
        """Remove node, volumes and network; does nothing when they are gone."""
        self.reconnect_world()
        # Not by kind: it may be half built or not there at all when a run was killed.
        self._engine.try_docker("rm", "--force", "--volumes", self.node, timeout_seconds=120)
        for network in (self.settings.cluster, self._sample):
            self._engine.try_docker("network", "rm", network)

    def use_registry(self, registry: Registry) -> None:
        """Let the node pull `localhost:<port>/…` from the registry's container."""
        registry.join(self.settings.cluster, self._last_address())
        folder = f"/etc/containerd/certs.d/{registry.host}"
        content = f'[host."http://{NAME}:{INSIDE_PORT}"]\n'
        script = f"mkdir -p {folder} && cat > {folder}/hosts.toml"
        run(
            ["docker", "exec", "--interactive", self.node, "sh", "-c", script],
            env=self._engine.environment(), stdin=content,
        )  # fmt: skip

    def cut_off(self) -> None:
        """Refuse all traffic from the cluster to other networks.

        For machines where no registry is in reach: what a broken Service route lets out would end up at strangers.
        """
        rule = self._cut_off_rule()
        if not attempt(["iptables", "-C", *rule]).ok:
            run(["iptables", "-I", *rule])

    def reconnect_world(self) -> None:
        """Take back `cut_off`; does nothing without it."""
        if self._network() is not None and self._engine.own:
            attempt(["iptables", "-D", *self._cut_off_rule()])

    @property
    def _engine(self) -> Engine:
        return self.tools.engine

    @property
    def _sample(self) -> str:
        """A network that exists for a moment, to see which subnet the engine would choose."""
        return f"{self.settings.cluster}-sample"

    @property
    def _complete(self) -> Path:
        """A file that is there when kind has finished its work."""
        return self.settings.state / "complete"

    def _make(self, image: str) -> None:
        self.settings.state.mkdir(parents=True, exist_ok=True)
        self._create_network()
        self.tools.kind(
            "create", "cluster", "--image", image, "--config", "-", "--wait", READY_WAIT,
            stdin=yaml.safe_dump(configuration(self.settings)), timeout_seconds=CREATE_SECONDS,
        )  # fmt: skip
        self._complete.touch()

    def _wait_for_node(self) -> None:
        self.tools.kubectl(
            "wait", "--for=condition=Ready", f"node/{self.node}", f"--timeout={START_SECONDS:.0f}s",
            timeout_seconds=START_SECONDS + 10,
        )  # fmt: skip

    def _create_network(self) -> None:
        """Make the network before kind would: fixed addresses exist only on a network whose subnet was asked for."""
        name = self.settings.cluster
        if self._network() is not None:
            return
        # The engine knows which subnets are free on this machine, so it chooses and we ask for its choice.
        self._engine.docker("network", "create", self._sample)
        subnet = self._subnet(self._sample)
        self._engine.docker("network", "rm", self._sample)
        self._engine.docker("network", "create", "--subnet", str(subnet), name)

    def _cut_off_rule(self) -> list[str]:
        network = self._network()
        if network is None:
            raise ClusterError(f"the network {self.settings.cluster} is missing")
        bridge = f"br-{network['Id'][:12]}"
        return ["DOCKER-USER", "-i", bridge, "!", "-o", bridge, "-j", "REJECT"]

    def _network(self) -> dict[str, str] | None:
        answer = self._engine.try_docker("network", "inspect", self.settings.cluster)
        networks: list[dict[str, str]] = json.loads(answer.stdout) if answer.ok else []
        return networks[0] if networks else None

    def _subnet(self, network: str) -> ipaddress.IPv4Network:
        template = "{{range .IPAM.Config}}{{println .Subnet}}{{end}}"
        subnets = self._engine.docker("network", "inspect", "--format", template, network).split()
        parsed = (ipaddress.ip_network(subnet) for subnet in subnets)
        return next(found for found in parsed if isinstance(found, ipaddress.IPv4Network))

    def _last_address(self) -> str:
        """The last address of the cluster's network; the engine gives them out from the first."""
        return str(self._subnet(self.settings.cluster).broadcast_address - 1)
