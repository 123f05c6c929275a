from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from doorbuster_cluster.runtime.secrets import (
    ISSUER_SECRET,
    KEYS_BY_SECRET,
    SECRET_BY_STORE,
    create_missing,
    issuer_key,
    namespace_manifest,
)
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
        ISSUER_SECRET: ("private-key",),
        **{name: tuple(sorted(keys)) for name, keys in KEYS_BY_SECRET.items()},
    }
    assert {document["metadata"]["namespace"] for document in made.values()} == {"doorbuster"}


def test_passwords_are_long_and_all_different(tools: Toolbox, fake_program: FakeProgram, created: Path) -> None:
    kubectl(fake_program, created)

    create_missing(tools)

    passwords = [document for document in documents(created) if document["metadata"]["name"] in KEYS_BY_SECRET]
    values = [value for document in passwords for value in document["stringData"].values()]
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
        "create -f -",
    ]


def test_a_secret_that_is_there_is_never_changed(tools: Toolbox, fake_program: FakeProgram, created: Path) -> None:
    kubectl(fake_program, created, "secret/mysql-credentials", "secret/sh.helm.release.v1.data.v1")

    create_missing(tools)

    assert [document["metadata"]["name"] for document in documents(created)] == ["redis-credentials", ISSUER_SECRET]


def test_with_all_of_them_there_none_is_made(tools: Toolbox, fake_program: FakeProgram, created: Path) -> None:
    kubectl(fake_program, created, *(f"secret/{name}" for name in (*KEYS_BY_SECRET, ISSUER_SECRET)))

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


def test_the_issuers_key_is_a_new_one_each_time_and_signs() -> None:
    first, second = issuer_key(), issuer_key()

    key = load_pem_private_key(first["private-key"].encode(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    assert len(key.sign(b"a token")) == 64
    assert first != second
