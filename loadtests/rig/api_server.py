"""The cluster's API server, asked over one connection: a kubectl for each question would cost the load its CPU."""

import base64
import ssl
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from doorbuster_cluster.runtime.releases import NAMESPACE
from loadtests.rig.errors import QuestionFailed, WrongCluster

# JSON: what it holds is checked where it is read.
Json = Any
# Less than the two seconds between two looks, so that a look that hangs costs one.
ASK_SECONDS = 1.8
LOOPBACK = "127.0.0.1"
# Groups of objects.
WORKLOADS = "apis/apps/v1"
SCALERS = "apis/doorbuster.dev/v1alpha1"
HINT = "`make status` shows whether the cluster answers"


class ApiServer:
    """Asks for objects, and for what Services answer. A context manager; never follows a proxy of the environment."""

    def __init__(self, kubeconfig: Path, *, cluster: str) -> None:
        """Read the kubeconfig that kind wrote.

        Raises:
            WrongCluster: there is none, or it is that of another cluster.
        """
        server, context = _connection(kubeconfig, cluster)
        self._client = httpx.Client(base_url=server, verify=context, trust_env=False, timeout=ASK_SECONDS)

    def __enter__(self) -> "ApiServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def objects(self, api: str, kind: str) -> list[Json]:
        """Return all objects of a kind in our namespace, e.g. of `apis/apps/v1` and `deployments`."""
        found: list[Json] = self.get(f"/{api}/namespaces/{NAMESPACE}/{kind}")["items"]
        return found

    def object(self, api: str, kind: str, name: str) -> Json:
        """Return one object of our namespace."""
        return self.get(f"/{api}/namespaces/{NAMESPACE}/{kind}/{name}")

    def ask_service(self, service: str, path: str, **parameters: str) -> Json:
        """Return what a Service (`name:port`) of our namespace answers, through the API server's proxy."""
        return self.get(f"/api/v1/namespaces/{NAMESPACE}/services/{service}/proxy/{path}", **parameters)

    def get(self, path: str, **parameters: str) -> Json:
        """Return the JSON at a path.

        Raises:
            QuestionFailed: no answer, an answer that says no, or one that isn't JSON.
        """
        try:
            answer = self._client.get(path, params=parameters)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise QuestionFailed(f"the API server gives no answer to {path}: {exc}", hint=HINT) from exc


def _connection(kubeconfig: Path, cluster: str) -> tuple[str, ssl.SSLContext]:
    try:
        return connection(yaml.safe_load(kubeconfig.read_text()), cluster)
    except FileNotFoundError as exc:
        raise WrongCluster(f"there is no cluster {cluster}: {kubeconfig} is missing", hint="type `make up`") from exc


def connection(config: Json, cluster: str) -> tuple[str, ssl.SSLContext]:
    """Return the API server's URL and how to speak to it, from what a kubeconfig holds.

    Raises:
        WrongCluster: it isn't what kind writes for the cluster of this name, on this machine.
    """
    try:
        server = str(config["clusters"][0]["cluster"]["server"])
        authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        user = config["users"][0]["user"]
        certificate, key = (base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key"))
        context = str(config["current-context"])
    except (KeyError, IndexError, TypeError, ValueError) as exc:
        raise WrongCluster(f"the kubeconfig isn't one that kind wrote: {exc!r}", hint="type `make up`") from exc
    if context != f"kind-{cluster}" or urlsplit(server).hostname != LOOPBACK:
        raise WrongCluster(
            f"the kubeconfig leads to {context} at {server}, and not to kind-{cluster} on this machine",
            hint="DOORBUSTER_CLUSTER names the cluster; `make up` brings it up",
        )
    return server, _tls(authority, certificate + b"\n" + key)


def _tls(authority: str, identity: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority)
    # Python reads a client's certificate from files only; this one is readable for its owner and gone in a moment.
    with tempfile.NamedTemporaryFile(prefix="doorbuster-demo-") as file:
        file.write(identity)
        file.flush()
        context.load_cert_chain(file.name)
    return context
