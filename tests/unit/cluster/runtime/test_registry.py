import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorbuster_cluster.builds.engine import Engine
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.runtime import registry as runtime_registry
from doorbuster_cluster.runtime.registry import NAME, Registry
from tests.ports import free_port
from tests.unit.cluster.conftest import FakeProgram

DIGEST = "sha256:0123"
PATIENCE_SECONDS = 10.0


class Manifests(http.server.BaseHTTPRequestHandler):
    """Answers as a registry that serves `doorbuster/redis:here`, and two answers that no registry should give."""

    def do_HEAD(self) -> None:
        accepted = "application/vnd.docker.distribution.manifest.v2+json" in self.headers["Accept"]
        known = {"/v2/doorbuster/redis/manifests/here": 200, "/v2/doorbuster/redis/manifests/nameless": 200}
        status = known.get(self.path, 500 if self.path.endswith("broken") else 404)
        self.send_response(status if accepted else 406)
        if self.path.endswith("here"):
            self.send_header("Docker-Content-Digest", DIGEST)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Keep the tests' output clean."""


def registry(port: int, storage: Path = Path("/storage")) -> Registry:
    return Registry(engine=Engine(address=None, own=False), port=port, storage=storage)


@pytest.fixture
def served() -> Iterator[Registry]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Manifests) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield registry(server.server_port)
        server.shutdown()
        thread.join()


def test_an_image_that_is_served_has_a_digest(served: Registry) -> None:
    assert served.digest(f"{served.host}/doorbuster/redis:here") == DIGEST
    assert served.has(f"{served.host}/doorbuster/redis:here")


@pytest.mark.parametrize("tag", ["gone", "broken", "nameless"])
def test_an_image_that_is_not_served_properly_is_not_there(served: Registry, tag: str) -> None:
    assert served.digest(f"{served.host}/doorbuster/redis:{tag}") is None
    assert not served.has(f"{served.host}/doorbuster/redis:{tag}")


def test_the_machines_proxy_is_not_asked(served: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)

    assert served.has(f"{served.host}/doorbuster/redis:here")


def test_a_registry_that_does_not_run_has_nothing() -> None:
    gone = registry(free_port())

    assert not gone.has(f"{gone.host}/doorbuster/redis:here")


def test_a_stranger_on_the_port_has_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_SECONDS)
        stranger = registry(listener.getsockname()[1])

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        found = stranger.has(f"{stranger.host}/doorbuster/redis:here")
        thread.join(PATIENCE_SECONDS)

    assert not found


def test_a_running_registry_is_left_alone(served: Registry, fake_program: FakeProgram) -> None:
    docker = fake_program("docker", f"echo 127.0.0.1:{served.port}")

    served.start("localhost:5001/doorbuster/registry:abc")

    assert docker.read_text() == f"port {NAME} 5000\n"


@pytest.mark.parametrize(
    "state", ["true", "exit 1", "echo 127.0.0.1:5999"], ids=["stopped", "not there", "on another port"]
)
def test_a_registry_is_started_on_loopback_with_its_storage(
    tmp_path: Path, served: Registry, fake_program: FakeProgram, state: str
) -> None:
    docker = fake_program("docker", f'if [ "$1" = port ]; then {state}; fi')
    storage = tmp_path / "registry"

    registry(served.port, storage).start("registry:abc")

    assert docker.read_text().splitlines()[1:] == [
        f"rm --force --volumes {NAME}",
        f"run --detach --restart always --name {NAME} --publish 127.0.0.1:{served.port}:5000 "
        f"--volume {storage}:/var/lib/registry registry:abc",
    ]
    assert storage.is_dir()


def test_a_registry_that_is_started_is_waited_for(tmp_path: Path, fake_program: FakeProgram) -> None:
    fake_program("docker", "")
    slow = registry(free_port(), tmp_path)
    began = threading.Event()

    def answer_late() -> None:
        began.wait(PATIENCE_SECONDS)
        with http.server.HTTPServer(("127.0.0.1", slow.port), Manifests) as server:
            server.handle_request()

    thread = threading.Thread(target=answer_late)
    thread.start()
    threading.Timer(0.3, began.set).start()
    slow.start("registry:abc")
    thread.join(PATIENCE_SECONDS)

    assert began.is_set()


def test_a_registry_that_never_answers_is_an_error_that_says_where_to_look(
    tmp_path: Path, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_registry, "START_SECONDS", 0.2)
    fake_program("docker", "")

    with pytest.raises(ClusterError, match="doesn't answer on") as refused:
        registry(free_port(), tmp_path).start("registry:abc")

    assert NAME in refused.value.hint


def test_only_what_is_missing_is_pushed(served: Registry, fake_program: FakeProgram) -> None:
    docker = fake_program("docker", "")

    served.push(f"{served.host}/doorbuster/redis:here")
    served.push(f"{served.host}/doorbuster/redis:gone")

    assert docker.read_text() == f"push --quiet {served.host}/doorbuster/redis:gone\n"


def test_what_is_there_can_be_replaced(served: Registry, fake_program: FakeProgram) -> None:
    docker = fake_program("docker", "")

    served.push_anew(f"{served.host}/doorbuster/redis:here")

    assert docker.read_text() == f"push --quiet {served.host}/doorbuster/redis:here\n"


@pytest.mark.parametrize(("networks", "joins"), [(["bridge"], True), (["bridge", "shop"], False)])
def test_a_network_is_joined_once_at_a_fixed_address(
    fake_program: FakeProgram, networks: list[str], *, joins: bool
) -> None:
    docker = fake_program("docker", f"echo '{json.dumps({network: {} for network in networks})}'")

    registry(5001).join("shop", "172.18.255.254")

    connected = f"network connect --ip 172.18.255.254 shop {NAME}" in docker.read_text().splitlines()
    assert connected is joins


def test_leaving_a_network_that_is_gone_is_no_error(fake_program: FakeProgram) -> None:
    docker = fake_program("docker", "exit 1")

    registry(5001).leave("shop")

    assert docker.read_text() == f"network disconnect --force shop {NAME}\n"
