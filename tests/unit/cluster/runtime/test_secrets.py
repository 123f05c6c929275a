from pathlib import Path

import pytest
import yaml

from doorbuster_cluster.runtime.secrets import KEYS_BY_SECRET, SECRET_BY_STORE, create_missing, namespace_manifest
from doorbuster_cluster.runtime.toolbox import Toolbox
from tests.unit.cluster.conftest import FakeProgram


@pytest.fixture
def created(tmp_path: Path) -> Path:
    return tmp_path / "created.yaml"


def kubectl(fake_program: FakeProgram, created: Path, *there: str) -> Path:
    """Put a kubectl on PATH that knows these Secrets and keeps what it is given on standard input."""
    return fake_program(
        "kubectl",
        f'case $1 in get) printf "%s\\n" {" ".join(there)};; create) (echo ---; cat) >> {created};; esac',
    )


def documents(created: Path) -> list[dict[str, dict[str, str]]]:
    return [document for document in yaml.safe_load_all(created.read_text()) if document]


def test_every_secret_is_made_with_all_its_keys(tools: Toolbox, fake_program: FakeProgram, created: Path) -> None:
    kubectl(fake_program, created)

    create_missing(tools)

    made = {document["metadata"]["name"]: document for document in documents(created)}
    assert {name: tuple(sorted(document["stringData"])) for name, document in made.items()} == {
        name: tuple(sorted(keys)) for name, keys in KEYS_BY_SECRET.items()
    }
    assert {document["metadata"]["namespace"] for document in made.values()} == {"doorbuster"}


def test_passwords_are_long_and_all_different(tools: Toolbox, fake_program: FakeProgram, created: Path) -> None:
    kubectl(fake_program, created)

    create_missing(tools)

    values = [value for document in documents(created) for value in document["stringData"].values()]
    # 24 random bytes.
    assert {len(value) for value in values} == {32}
    assert len(set(values)) == len(values) == sum(map(len, KEYS_BY_SECRET.values()))


def test_no_password_is_an_argument(tools: Toolbox, fake_program: FakeProgram, created: Path) -> None:
    calls = kubectl(fake_program, created)

    create_missing(tools)

    assert calls.read_text().splitlines() == [
        "apply --server-side -f -",
        "get secrets --namespace doorbuster --output name",
        "create -f -",
        "create -f -",
    ]


def test_a_secret_that_is_there_is_never_changed(tools: Toolbox, fake_program: FakeProgram, created: Path) -> None:
    kubectl(fake_program, created, "secret/mysql-credentials", "secret/sh.helm.release.v1.data.v1")

    create_missing(tools)

    assert [document["metadata"]["name"] for document in documents(created)] == ["redis-credentials"]


def test_with_all_of_them_there_none_is_made(tools: Toolbox, fake_program: FakeProgram, created: Path) -> None:
    kubectl(fake_program, created, *(f"secret/{name}" for name in KEYS_BY_SECRET))

    create_missing(tools)

    assert not created.exists()


def test_the_namespace_refuses_pods_outside_the_restricted_standard() -> None:
    assert namespace_manifest() == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "doorbuster",
            "labels": {
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/warn": "restricted",
            },
        },
    }


def test_every_secret_that_a_store_is_told_of_is_made() -> None:
    assert set(SECRET_BY_STORE.values()) == set(KEYS_BY_SECRET)
