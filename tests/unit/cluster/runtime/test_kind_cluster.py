import json
from pathlib import Path

import pytest
import yaml

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.runtime.kind_cluster import KindCluster, configuration
from doorbuster_cluster.runtime.registry import Registry
from doorbuster_cluster.runtime.toolbox import Toolbox
from tests.unit.cluster.conftest import FakeProgram
from tests.unit.cluster.host.machines import settings

IMAGE = "localhost/doorbuster/node:abc"
NETWORK = json.dumps([{"Id": "0123456789abcdef0123"}])
RULE = "DOCKER-USER -i br-0123456789ab ! -o br-0123456789ab -j REJECT"


@pytest.fixture
def cluster(tools: Toolbox) -> KindCluster:
    return KindCluster(settings=tools.settings, tools=tools)


def docker(fake_program: FakeProgram, *, node: str = "exit 1", network: str = "exit 1", more: str = "") -> Path:
    """Put a docker on PATH that answers about the node and the network of the cluster `shop`."""
    return fake_program(
        "docker",
        'case "$*" in\n'
        f'"inspect "*shop-control-plane) {node};;\n'
        f"\"network inspect --format \"*) printf 'fd00::/64\\n172.19.0.0/16\\n\\n';;\n"
        f'"network inspect shop") {network};;\n'
        f"{more}\n"
        "esac",
    )


def finish(cluster: KindCluster) -> None:
    """Leave the mark of a kind that finished its work."""
    cluster.settings.state.mkdir(parents=True)
    (cluster.settings.state / "complete").touch()


@pytest.mark.parametrize(
    ("said", "cidr"), [("172.19.0.2 6443", "172.19.0.2/32"), ("fd00::2 6443", "fd00::2/128")], ids=["IPv4", "IPv6"]
)
def test_the_api_server_is_where_it_says_itself(
    cluster: KindCluster, fake_program: FakeProgram, said: str, cidr: str
) -> None:
    fake_program("kubectl", f"echo {said}")

    assert cluster.api_server().values() == {"cidr": cidr, "port": 6443}


def test_the_ingress_port_is_on_loopback_and_services_use_nftables() -> None:
    assert configuration(settings(cluster="shop", port="18080")) == {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": "shop",
        "networking": {"kubeProxyMode": "nftables"},
        "containerdConfigPatches": [
            '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n'
        ],
        "nodes": [
            {
                "role": "control-plane",
                "extraPortMappings": [{"containerPort": 80, "hostPort": 18080, "listenAddress": "127.0.0.1"}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("state", "ready", "expected"),
    [
        pytest.param(f"true {IMAGE}", 0, True, id="it runs"),
        pytest.param(f"false {IMAGE}", 0, False, id="stopped"),
        pytest.param("true other:image", 0, False, id="of another image"),
        pytest.param(f"true {IMAGE}", 1, False, id="its API server does not answer"),
        pytest.param("", 0, False, id="not there"),
    ],
)
def test_a_cluster_runs_when_its_node_does_and_its_api_server_answers(
    cluster: KindCluster, fake_program: FakeProgram, state: str, ready: int, *, expected: bool
) -> None:
    docker(fake_program, node=f"echo '{state}'")
    fake_program("kubectl", f"exit {ready}")
    finish(cluster)

    assert cluster.is_running(IMAGE) is expected


def test_a_new_cluster_gets_a_network_whose_subnet_was_asked_for(
    cluster: KindCluster, fake_program: FakeProgram, tmp_path: Path
) -> None:
    calls = docker(fake_program)
    kind = fake_program("kind", f"cat > {tmp_path}/configuration; env > {tmp_path}/environment")

    cluster.create(IMAGE)

    assert [call for call in calls.read_text().splitlines() if "network" in call and "inspect" not in call] == [
        "network create shop-sample",
        "network rm shop-sample",
        # Of its two subnets the one of IPv4: fixed addresses are given out of it.
        "network create --subnet 172.19.0.0/16 shop",
    ]
    assert kind.read_text() == f"create cluster --image {IMAGE} --config - --wait 180s\n"
    assert yaml.safe_load((tmp_path / "configuration").read_text()) == configuration(cluster.settings)
    environment = (tmp_path / "environment").read_text().splitlines()
    assert f"KUBECONFIG={cluster.settings.kubeconfig}" in environment
    assert "KIND_EXPERIMENTAL_DOCKER_NETWORK=shop" in environment
    assert (cluster.settings.state / "complete").exists()


def test_a_cluster_that_kind_did_not_finish_is_made_anew(
    cluster: KindCluster, fake_program: FakeProgram, tmp_path: Path
) -> None:
    removed = tmp_path / "removed"
    calls = docker(fake_program, node=f"[ ! -e {removed} ] && echo {IMAGE}", more=f'"rm "*) touch {removed};;')
    kind = fake_program("kind", "cat >/dev/null")

    assert not cluster.is_running(IMAGE)
    cluster.create(IMAGE)

    assert "rm --force --volumes shop-control-plane" in calls.read_text().splitlines()
    assert kind.read_text().startswith("create cluster ")


def test_a_stopped_cluster_is_started_again(cluster: KindCluster, fake_program: FakeProgram) -> None:
    calls = docker(fake_program, node=f"echo {IMAGE}")
    kind, kubectl = fake_program("kind", ""), fake_program("kubectl", "")
    finish(cluster)

    cluster.create(IMAGE)

    assert "start shop-control-plane" in calls.read_text().splitlines()
    assert kubectl.read_text() == "wait --for=condition=Ready node/shop-control-plane --timeout=120s\n"
    assert not kind.exists()


def test_a_cluster_of_another_node_image_is_refused_with_what_to_do(
    cluster: KindCluster, fake_program: FakeProgram
) -> None:
    calls = docker(fake_program, node="echo other:image")
    finish(cluster)

    with pytest.raises(ClusterError, match="the cluster shop was made from another node image") as refusal:
        cluster.create(IMAGE)

    assert "make down" in refusal.value.hint
    assert "start " not in calls.read_text()


def test_deleting_removes_rule_node_and_network(cluster: KindCluster, fake_program: FakeProgram) -> None:
    calls, iptables = docker(fake_program, network=f"echo '{NETWORK}'"), fake_program("iptables", "")

    cluster.delete()

    assert calls.read_text().splitlines()[-3:] == [
        "rm --force --volumes shop-control-plane",
        "network rm shop",
        # Left behind when a run was killed while it made the network.
        "network rm shop-sample",
    ]
    assert iptables.read_text() == f"-D {RULE}\n"


def test_deleting_what_is_gone_is_no_error(cluster: KindCluster, fake_program: FakeProgram) -> None:
    fake_program("docker", "exit 1")
    iptables = fake_program("iptables", "")

    cluster.delete()

    assert not iptables.exists()


@pytest.mark.parametrize(("known", "calls"), [(1, [f"-C {RULE}", f"-I {RULE}"]), (0, [f"-C {RULE}"])])
def test_a_cluster_is_cut_off_once(
    cluster: KindCluster, fake_program: FakeProgram, known: int, calls: list[str]
) -> None:
    docker(fake_program, network=f"echo '{NETWORK}'")
    iptables = fake_program("iptables", f'[ "$1" != -C ] || exit {known}')

    cluster.cut_off()

    assert iptables.read_text().splitlines() == calls


def test_a_cluster_without_network_cannot_be_cut_off(cluster: KindCluster, fake_program: FakeProgram) -> None:
    docker(fake_program)

    with pytest.raises(ClusterError, match="the network shop is missing"):
        cluster.cut_off()


def test_the_node_learns_where_the_registry_is(cluster: KindCluster, fake_program: FakeProgram, tmp_path: Path) -> None:
    calls = docker(fake_program, more=f'"inspect "*Networks*) echo \'{{}}\';;\n"exec "*) cat > {tmp_path}/hosts.toml;;')
    registry = Registry(engine=cluster.tools.engine, port=5001, storage=tmp_path)

    cluster.use_registry(registry)

    assert (tmp_path / "hosts.toml").read_text() == '[host."http://doorbuster-registry:5000"]\n'
    # The last address of the subnet: the engine gives them out from the first.
    assert "network connect --ip 172.19.255.254 shop doorbuster-registry" in calls.read_text().splitlines()
    folder = "/etc/containerd/certs.d/localhost:5001"
    assert f"sh -c mkdir -p {folder} && cat > {folder}/hosts.toml" in calls.read_text()
