"""API servers of a test: each replies by a function."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from doorbuster_operator.adapters.kubernetes_api import ClusterApi, connected
from tests.unit.doorbuster_operator.adapters.http_server import Handler, Reply, replying, serving

SECONDS = 5.0


def kubeconfig(folder: Path, address: str) -> Path:
    """Write where the API server is."""
    file = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": address}}],
        "users": [{"name": "test", "user": {"token": "of-a-test"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    file.write_text(yaml.safe_dump(document))
    return file


@contextmanager
def api_at(address: str, *, seconds: float = SECONDS) -> Iterator[ClusterApi]:
    """Yield the way to an address."""
    with (
        tempfile.TemporaryDirectory() as folder,
        connected(kubeconfig(Path(folder), address), request_seconds=seconds) as api,
    ):
        yield api


@contextmanager
def api_that(reply: Reply, *, seconds: float = SECONDS) -> Iterator[ClusterApi]:
    """Yield the way to a server that replies so."""
    with serving(reply) as address, api_at(address, seconds=seconds) as api:
        yield api


def document(content: dict[str, Any], *, status: int = 200) -> Reply:
    """Return a reply with a document."""
    return replying(status, json.dumps(content).encode())


def refusal(status: int, message: str) -> Reply:
    """Return a reply with an error as the API server writes it."""
    return document({"kind": "Status", "status": "Failure", "message": message, "code": status}, status=status)


def body_of(handler: Handler) -> Any:
    """Return what was sent."""
    return json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
