"""An API server that runs, and the ways to it: kubeconfig files, clients, kubectl; as whoever one may be."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from kubernetes import client, config

from tests.fetching import fetched
from tests.integration.polling import seconds_until
from tests.operator_api.children import Child
from tests.operator_api.credentials import Credentials
from tests.operator_api.rest import Rest, administrator, trusting

# Two cores may be busy with other tests; alone it is there after 3 to 4 s.
START_SECONDS = 60.0
ASK_SECONDS = 2.0
KUBECTL_SECONDS = 60.0
TOKEN_SECONDS = 3600
ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a kubectl ended.

    Attributes:
        ok: whether without an error.
        stdout: what it printed.
        stderr: warnings and errors.
    """

    ok: bool
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServer:
    """An API server that runs.

    Attributes:
        address: its URL.
        folder: for files that go when it does.
        credentials: its authority, and the administrator's certificate.
        kubectl: the program.
        process: kube-apiserver itself.
    """

    address: str
    folder: Path
    credentials: Credentials
    kubectl: Path
    process: Child

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubeconfig_in("default")

    def kubeconfig_in(self, namespace: str) -> Path:
        """Return the administrator's kubeconfig with a namespace for what names none."""
        user = {
            "client-certificate": str(self.credentials.certificate(ADMIN)),
            "client-key": str(self.credentials.key(ADMIN)),
        }
        return self._kubeconfig(f"{ADMIN}-{namespace}", namespace, user)

    @property
    def rest(self) -> Rest:
        """Calls as the administrator, in JSON."""
        return administrator(self.address, self.credentials)

    def wait_ready(self) -> None:
        """Return when it serves; its store is a part of that."""
        seconds_until(
            lambda: not self.process.runs or self._is_ready(), within_seconds=START_SECONDS, what="it is ready"
        )
        self.process.assert_runs()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Have nobody listen while the block lasts; it knows everything and serves again when it ends."""
        self.process.kill()
        try:
            yield
        finally:
            self.process.start()
            self.wait_ready()

    def _is_ready(self) -> bool:
        return (
            fetched(f"{self.address}/readyz", within_seconds=ASK_SECONDS, context=trusting(self.credentials)) == b"ok"
        )

    def kubeconfig_with_token(self, name: str, *, namespace: str, token: str) -> Path:
        """Return a kubeconfig that knows nothing but a bearer token."""
        return self._kubeconfig(f"{namespace}-{name}", namespace, {"token": token})

    def try_kubectl(self, *arguments: str | Path, stdin: str | None = None, kubeconfig: Path | None = None) -> Answer:
        """Return how kubectl ended; as the administrator unless another kubeconfig is given."""
        done = subprocess.run(
            [
                self.kubectl,
                *("--kubeconfig", kubeconfig or self.kubeconfig),
                # What a server offers is remembered, in a person's home folder unless it is told otherwise.
                *("--cache-dir", self.folder / "kubectl"),
                *arguments,
            ],
            input=stdin or "",
            capture_output=True,
            text=True,
            check=False,
            timeout=KUBECTL_SECONDS,
        )
        return Answer(ok=done.returncode == 0, stdout=done.stdout, stderr=done.stderr)

    def run_kubectl(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Return what a kubectl printed that has to succeed."""
        answer = self.try_kubectl(*arguments, stdin=stdin)
        assert answer.ok, f"kubectl {' '.join(map(str, arguments))}: {answer.stderr}"
        return answer.stdout

    def _kubeconfig(self, name: str, namespace: str, user: dict[str, str]) -> Path:
        file = self.folder / f"{name}.kubeconfig"
        cluster = {"server": self.address, "certificate-authority": str(self.credentials.authority)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name, "namespace": namespace}}],
            "current-context": "test",
        }
        file.write_text(yaml.safe_dump(document))
        return file


@contextmanager
def connected(kubeconfig: Path) -> Iterator[client.ApiClient]:
    """Yield a client; its connections are closed when the block ends."""
    api: client.ApiClient = config.new_client_from_config(str(kubeconfig))
    try:
        yield api
    finally:
        api.close()  # type: ignore[attr-defined]  # the stubs don't know it
