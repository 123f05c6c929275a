"""The local cluster's passwords and the issuer's key: made once, never changed while volumes exist (P7).

Charts generate none; on a real cluster a person makes the same Secrets, docs/operations.md says how.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorbuster_cluster.runtime.releases import NAMESPACE
from doorbuster_cluster.runtime.toolbox import Toolbox

PASSWORD_BYTES = 24

# What the chart `data` is told as `<store>.existingSecret`.
SECRET_BY_STORE: Mapping[str, str] = {"mysql": "mysql-credentials", "redis": "redis-credentials"}
KEYS_BY_SECRET: Mapping[str, tuple[str, ...]] = {
    "mysql-credentials": ("root-password", "replication-password", "probe-password", "app-password"),
    "redis-credentials": ("password",),
}
# The development issuer signs with it and publishes the public half.
ISSUER_SECRET = "issuer-key"  # noqa: S105  # a Secret's name


def namespace_manifest(name: str = NAMESPACE) -> dict[str, object]:
    """Return a namespace that refuses pods outside the Pod Security Standard; by default that of everything of ours."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def create_missing(tools: Toolbox) -> None:
    """Make the namespace and those Secrets that aren't there."""
    tools.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(namespace_manifest()))
    there = tools.kubectl("get", "secrets", "--namespace", NAMESPACE, "--output", "name").split()
    for name, content in _wanted():
        if f"secret/{name}" not in there:
            # Through standard input: arguments can be read by every process on the machine.
            tools.kubectl("create", "-f", "-", stdin=yaml.safe_dump(_secret(name, content())))


def issuer_key() -> dict[str, str]:
    """Return the content of the development issuer's Secret: a new Ed25519 private key as PEM (PKCS 8)."""
    key = Ed25519PrivateKey.generate()
    return {"private-key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()}


def _wanted() -> Iterator[tuple[str, Callable[[], Mapping[str, str]]]]:
    """Yield each Secret's name and what makes its content."""
    for name, keys in KEYS_BY_SECRET.items():
        yield name, partial(_passwords, keys)
    yield ISSUER_SECRET, issuer_key


def _passwords(keys: tuple[str, ...]) -> dict[str, str]:
    return {key: secrets.token_urlsafe(PASSWORD_BYTES) for key in keys}


def _secret(name: str, content: Mapping[str, str]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData": dict(content),
    }
