"""The passwords of the local cluster's stores: made once, never changed while their volumes exist (P7).

Charts generate none; on a real cluster a person makes the same Secrets, docs/operations.md says how.
"""

import secrets
from collections.abc import Mapping

import yaml

from doorbuster_cluster.runtime.releases import NAMESPACE
from doorbuster_cluster.runtime.toolbox import Toolbox

PASSWORD_BYTES = 24

# What the chart `data` is told as `<store>.existingSecret`.
SECRET_BY_STORE: Mapping[str, str] = {"mysql": "mysql-credentials", "redis": "redis-credentials"}
KEYS_BY_SECRET: Mapping[str, tuple[str, ...]] = {
    "mysql-credentials": ("root-password", "replication-password", "probe-password", "app-password"),
    "redis-credentials": ("password",),
}


def namespace_manifest() -> dict[str, object]:
    """Return the namespace of everything that is ours, which refuses pods outside the Pod Security Standard."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def create_missing(tools: Toolbox) -> None:
    """Make the namespace and those Secrets that aren't there."""
    tools.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(namespace_manifest()))
    there = tools.kubectl("get", "secrets", "--namespace", NAMESPACE, "--output", "name").split()
    for name, keys in KEYS_BY_SECRET.items():
        if f"secret/{name}" not in there:
            # Through standard input: arguments can be read by every process on the machine.
            tools.kubectl("create", "-f", "-", stdin=yaml.safe_dump(_secret(name, keys)))


def _secret(name: str, keys: tuple[str, ...]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData": {key: secrets.token_urlsafe(PASSWORD_BYTES) for key in keys},
    }
