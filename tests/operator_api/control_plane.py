"""A real API server: etcd and kube-apiserver as two processes, without kubelet, controllers or containers.

Nothing turns a Deployment into pods here, no namespace is emptied when it is deleted, and nobody collects garbage:
what a test needs of that, it does itself.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doorbuster_cluster.settings import read_settings
from tests.operator_api.api_server import ApiServer
from tests.operator_api.children import Child
from tests.operator_api.credentials import Credentials, make_credentials
from tests.ports import free_port

MISSING = "there is no {name} in {folder}; `make test-operator-api` provides it"


def program(name: str) -> Path:
    """Return a program of ours, where the tier's runner has put it."""
    folder = read_settings(os.environ).cache / "bin"
    assert (folder / name).exists(), MISSING.format(name=name, folder=folder)
    return (folder / name).resolve()


@contextmanager
def running_api_server() -> Iterator[ApiServer]:
    """Yield an API server that is ready; both processes and all files are gone when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="doorbuster-api-"))
    children: list[Child] = []
    try:
        credentials = make_credentials(folder)
        etcd_port, api_port = free_port(), free_port()
        children = [_etcd(folder, etcd_port), _kube_apiserver(folder, credentials, etcd_port, api_port)]
        server = ApiServer(
            address=f"https://127.0.0.1:{api_port}",
            folder=folder,
            credentials=credentials,
            kubectl=_linked(folder, "kubectl"),
            process=children[-1],
        )
        for child in children:
            child.start()
        server.wait_ready()
        yield server
    finally:
        # The API server first: without its store it only waits.
        for child in reversed(children):
            child.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _etcd(folder: Path, port: int) -> Child:
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    argv: list[str | Path] = [
        program("etcd"), "--name=test", f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn",
        f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=test={peer}",
    ]  # fmt: skip
    return Child(name="etcd", argv=argv, log=folder / "etcd.log")


def _kube_apiserver(folder: Path, credentials: Credentials, etcd_port: int, port: int) -> Child:
    argv: list[str | Path] = [
        _linked(folder, "kube-apiserver"), f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1", f"--secure-port={port}", "--endpoint-reconciler-type=none",
        f"--tls-cert-file={credentials.certificate('server')}",
        f"--tls-private-key-file={credentials.key('server')}",
        f"--client-ca-file={credentials.authority}", "--authorization-mode=RBAC",
        f"--service-account-issuer=https://127.0.0.1:{port}",
        f"--service-account-key-file={credentials.tokens_key}",
        f"--service-account-signing-key-file={credentials.tokens_key}",
        "--service-cluster-ip-range=10.96.0.0/24", "--profiling=false",
    ]  # fmt: skip
    return Child(name="kube-apiserver", argv=argv, log=folder / "kube-apiserver.log")


def _linked(folder: Path, name: str) -> Path:
    """Return hyperkube under the name of one of its programs, which it chooses by."""
    link = folder / name
    link.symlink_to(program("hyperkube"))
    return link
