import json
from pathlib import Path

import pytest

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
from tests.unit.cluster.conftest import FakeProgram

INFO = {
    "ServerVersion": "20.10.24+dfsg1",
    "Architecture": "x86_64",
    "NCPU": 2,
    "MemTotal": 25276510208,
    "CgroupVersion": "1",
    "DockerRootDir": "/cache/engine/data",
}


def docker(fake_program: FakeProgram, cases: str) -> Path:
    return fake_program("docker", f'case "$*" in\n{cases}\n*) echo "unexpected: $*" >&2; exit 99;; esac')


def test_an_engine_that_answers_tells_about_itself(fake_program: FakeProgram) -> None:
    docker(fake_program, f"'info --format {{{{json .}}}}') echo '{json.dumps(INFO)}';;")

    assert ask_engine("unix:///x") == EngineAnswer(
        facts=EngineFacts(
            address="unix:///x",
            version="20.10.24+dfsg1",
            architecture="amd64",
            cores=2,
            memory_bytes=25276510208,
            cgroup_version=1,
            data_root="/cache/engine/data",
        ),
        refusal="",
    )


def trying(run: str, images: str) -> str:
    return (
        f"'image ls --quiet') printf '%s\\n' {images};;\n"
        f"'run --rm --privileged --network none --entrypoint /bin/true '*) {run};;"
    )


@pytest.mark.parametrize(
    ("run", "images", "expected"),
    [
        pytest.param("exit 0", "one", True, id="it runs"),
        pytest.param("echo 'unable to apply caps: operation not permitted' >&2; exit 126", "one", False, id="refused"),
        pytest.param('echo "/bin/true: no such file" >&2; exit 127', "one two", None, id="no image has a shell"),
        pytest.param('[ "${8}" = two ] || exit 127', "one two", True, id="the second image has one"),
        pytest.param("exit 0", "", None, id="no image"),
    ],
)
def test_privileges_are_tried_with_local_images(
    fake_program: FakeProgram, run: str, images: str, *, expected: bool | None
) -> None:
    docker(fake_program, trying(run, images))

    assert ask_for_privileges(None) is expected


def test_at_most_three_images_are_tried(fake_program: FakeProgram) -> None:
    calls = docker(fake_program, trying("exit 127", "one one two three four"))

    ask_for_privileges(None)

    tried = [line.rpartition(" ")[2] for line in calls.read_text().splitlines() if line.startswith("run")]
    assert tried == ["one", "two", "three"]


def test_an_engine_that_does_not_answer_is_told_in_the_clients_words(fake_program: FakeProgram) -> None:
    docker(fake_program, "info*) echo '{\"ServerVersion\":\"\"}'; echo 'Cannot connect.' >&2; exit 1;;")

    assert ask_engine(None) == EngineAnswer(facts=None, refusal="Cannot connect.")


def test_a_client_that_prints_nonsense_is_no_answer(fake_program: FakeProgram) -> None:
    docker(fake_program, "info*) echo nonsense;;")

    assert ask_engine(None) == EngineAnswer(facts=None, refusal="the engine did not answer")


def test_without_a_client_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert ask_engine(None).refusal == "there is no docker client, or it did not answer in time"
    assert ask_registry(None) is None
    assert ask_for_privileges(None) is None
    assert published_ports(None) is None


def test_the_address_goes_to_the_client_and_takes_precedence_over_a_context(
    fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "remote")
    seen = tmp_path / "seen"
    fake_program("docker", f'echo "$DOCKER_HOST ${{DOCKER_CONTEXT-none}}" > {seen}')

    ask_engine("unix:///ours")

    assert seen.read_text() == "unix:///ours none\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("manifest*) echo '{}';;", True, id="in reach"),
        pytest.param("manifest*) echo 'no such host' >&2; exit 1;;", False, id="out of reach"),
    ],
)
def test_a_registry_is_asked_for_one_manifest(fake_program: FakeProgram, script: str, *, expected: bool) -> None:
    calls = docker(fake_program, script)

    assert ask_registry(None) is expected
    assert calls.read_text() == "manifest inspect docker.io/library/busybox:latest\n"


def test_published_ports_are_told_with_their_containers(fake_program: FakeProgram) -> None:
    node = {"name": "/shop-control-plane", "ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}}
    quiet = {"name": "/quiet", "ports": None}
    random = {"name": "/random", "ports": {"1/tcp": [{"HostIp": "", "HostPort": ""}], "2/tcp": None}}
    lines = "\n".join(json.dumps(container) for container in (node, quiet, random))
    docker(fake_program, f"'ps --quiet') printf 'a\\nb\\nc\\n';;\ninspect*' a b c') echo '{lines}';;")

    assert published_ports(None) == {8080: "shop-control-plane"}


def test_an_engine_without_containers_publishes_nothing(fake_program: FakeProgram) -> None:
    docker(fake_program, "'ps --quiet') ;;")

    assert published_ports(None) == {}


@pytest.mark.parametrize(
    ("file", "expected"), [("cgroup.controllers", 2), ("memory", 1)], ids=["version 2", "version 1"]
)
def test_the_cgroup_version_is_what_is_mounted(tmp_path: Path, file: str, expected: int) -> None:
    (tmp_path / file).touch()

    assert cgroup_version(tmp_path) == expected


def test_without_control_groups_there_is_no_version(tmp_path: Path) -> None:
    assert cgroup_version(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("machine", "expected"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("arm64", "arm64"), ("riscv64", "riscv64")]
)
def test_architectures_have_gos_names(machine: str, expected: str) -> None:
    assert go_architecture(machine) == expected
