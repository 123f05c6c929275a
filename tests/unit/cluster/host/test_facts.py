import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from doorbuster_cluster.host.facts import (
    REGISTRY_CONTAINER,
    PortFacts,
    PortState,
    collect_facts,
    find_foreign_daemons,
)
from doorbuster_cluster.runtime import registry
from doorbuster_cluster.settings import Settings
from tests.unit.cluster.conftest import FakeProgram
from tests.unit.cluster.host.machines import settings

INFO = {"ServerVersion": "28.1.0", "Architecture": "aarch64", "NCPU": 4, "MemTotal": 8, "DockerRootDir": "/data"}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


@pytest.fixture
def ours(tmp_path: Path) -> Settings:
    return replace(settings(cluster="shop"), cache=tmp_path / "not" / "there" / "yet")


def no_engine(fake_program: FakeProgram) -> None:
    fake_program("docker", "echo 'no engine' >&2; exit 1")


def port_facts(number: int, state: PortState, holder: str | None = None) -> PortFacts:
    return PortFacts(number=number, variable="DOORBUSTER_PORT", state=state, holder=holder)


def test_a_port_that_another_program_listens_on_is_taken(
    fake_program: FakeProgram, listener: socket.socket, ours: Settings
) -> None:
    no_engine(fake_program)
    number = listener.getsockname()[1]

    assert collect_facts(replace(ours, port=number)).ports[0] == port_facts(number, PortState.TAKEN)


def test_a_port_that_nobody_listens_on_is_free(
    fake_program: FakeProgram, listener: socket.socket, ours: Settings
) -> None:
    no_engine(fake_program)
    number = listener.getsockname()[1]
    listener.close()

    assert collect_facts(replace(ours, port=number)).ports[0] == port_facts(number, PortState.FREE)


@pytest.mark.parametrize(
    ("container", "state"),
    [
        pytest.param("shop-control-plane", PortState.OURS, id="the cluster's node"),
        pytest.param(REGISTRY_CONTAINER, PortState.OURS, id="the registry"),
        pytest.param("shop-two-control-plane", PortState.TAKEN, id="another cluster's node"),
        pytest.param("web", PortState.TAKEN, id="any other container"),
    ],
)
def test_a_port_of_a_container_is_ours_by_the_containers_name(
    fake_program: FakeProgram, listener: socket.socket, ours: Settings, container: str, state: PortState
) -> None:
    number = listener.getsockname()[1]
    described = json.dumps({"name": f"/{container}", "ports": {"80/tcp": [{"HostPort": str(number)}]}})
    fake_program(
        "docker",
        f"case \"$*\" in info*) echo '{json.dumps(INFO)}';; ps*) echo id;; inspect*) echo '{described}';; esac",
    )

    assert collect_facts(replace(ours, port=number)).ports[0] == port_facts(number, state, container)


def test_the_registry_is_known_by_the_name_it_is_started_with() -> None:
    assert registry.NAME == REGISTRY_CONTAINER


def test_an_engine_that_is_ours_is_not_an_existing_one(fake_program: FakeProgram, ours: Settings) -> None:
    fake_program("docker", f"case \"$*\" in info*) echo '{json.dumps(INFO)}';; esac")
    (ours.cache / "engine").mkdir(parents=True)
    (ours.cache / "engine" / "docker.sock").touch()

    facts = collect_facts(ours)

    assert facts.existing_engine is None
    assert facts.existing_refusal == "the only engine that answers is the one we started"
    assert facts.own_engine is not None
    assert facts.own_engine.address == f"unix://{ours.cache}/engine/docker.sock"


def test_an_engine_that_is_not_ours_is_an_existing_one(fake_program: FakeProgram, ours: Settings) -> None:
    fake_program("docker", f"case \"$*\" in info*) echo '{json.dumps(INFO)}';; esac")

    facts = collect_facts(ours)

    assert facts.own_engine is None
    assert facts.existing_engine is not None
    assert (facts.existing_engine.architecture, facts.existing_engine.cores) == ("arm64", 4)


def test_a_machine_without_an_engine_has_facts_all_the_same(fake_program: FakeProgram, ours: Settings) -> None:
    no_engine(fake_program)

    facts = collect_facts(ours)

    assert facts.existing_refusal == "no engine"
    assert facts.registry_reachable is False
    assert facts.cores >= 1
    assert facts.memory_bytes > 2**28
    assert facts.free_disk_bytes > 0
    assert "docker" in facts.programs


def test_built_before_means_that_the_largest_program_is_kept(fake_program: FakeProgram, ours: Settings) -> None:
    no_engine(fake_program)
    assert collect_facts(ours).built_before is False

    program = ours.cache / "programs" / "hyperkube-0123456789abcdef" / "hyperkube"
    program.parent.mkdir(parents=True)
    program.touch()

    assert collect_facts(ours).built_before is True


def add_process(processes: Path, number: int, command: str, namespace: str | None = "net:[1]") -> None:
    entry = processes / str(number)
    (entry / "ns").mkdir(parents=True)
    (entry / "cmdline").write_bytes(command.encode().replace(b" ", b"\0") + b"\0")
    if namespace:
        (entry / "ns" / "net").symlink_to(namespace)


def test_foreign_daemons_are_those_that_share_our_firewall(tmp_path: Path) -> None:
    add_process(tmp_path, 1, "/sbin/init")
    add_process(tmp_path, 20, "/usr/bin/dockerd -H fd://")
    add_process(tmp_path, 10, "dockerd --host unix:///tmp/other.sock", namespace=None)
    add_process(tmp_path, 30, "dockerd --data-root /cache/engine/data")
    add_process(tmp_path, 40, "dockerd", namespace="net:[2]")
    add_process(tmp_path, 50, "vi dockerd")
    (tmp_path / "60").mkdir()
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "ns" / "net").symlink_to("net:[1]")

    assert find_foreign_daemons(Path("/cache/engine"), tmp_path) == (10, 20)
