"""A namespace of a test: with the pod security that ours has, and what a controller would have put into it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.operator_api.api_server import TOKEN_SECONDS, Answer, ApiServer, connected

# As `make up` labels the namespace; warnings are what tells about the pods of a Deployment, which no one makes here.
POD_SECURITY = {
    f"pod-security.kubernetes.io/{mode}{suffix}": value
    for mode in ("enforce", "warn")
    for suffix, value in (("", "restricted"), ("-version", "latest"))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace that is a test's own.

    Attributes:
        name: its name.
        server: the API server.
        api: a client of the administrator.
    """

    name: str
    server: ApiServer
    api: client.ApiClient

    def kubectl(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Return what kubectl printed in this namespace as the administrator; it has to succeed."""
        return self.server.run_kubectl("--namespace", self.name, *arguments, stdin=stdin)

    def try_kubectl(self, *arguments: str | Path, stdin: str | None = None, kubeconfig: Path | None = None) -> Answer:
        """Return how kubectl ended in this namespace."""
        return self.server.try_kubectl("--namespace", self.name, *arguments, stdin=stdin, kubeconfig=kubeconfig)

    def service_account_kubeconfig(self, account: str) -> Path:
        """Return a kubeconfig with a token of a service account, as its pods get one; made when it isn't there."""
        core = client.CoreV1Api(self.api)
        try:
            core.create_namespaced_service_account(self.name, _service_account(account))
        except ApiException as refusal:
            if refusal.status != HTTPStatus.CONFLICT:
                raise
        request = client.AuthenticationV1TokenRequest(
            spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=TOKEN_SECONDS)
        )
        answer = core.create_namespaced_service_account_token(account, self.name, request)
        assert answer.status is not None
        assert answer.status.token is not None
        return self.server.kubeconfig_with_token(account, namespace=self.name, token=answer.status.token)

    @contextmanager
    def as_service_account(self, account: str) -> Iterator[client.ApiClient]:
        """Yield a client that is that service account."""
        with connected(self.service_account_kubeconfig(account)) as api:
            yield api


@contextmanager
def made_namespace(server: ApiServer, api: client.ApiClient, name: str = "") -> Iterator[Namespace]:
    """Yield a new namespace.

    Without a controller nothing would ever empty it, so it is left as it is when the block ends; its name is used once.
    """
    own_name = name or f"test-{secrets.token_hex(4)}"
    core = client.CoreV1Api(api)
    metadata = client.V1ObjectMeta(name=own_name, labels=POD_SECURITY)
    core.create_namespace(client.V1Namespace(metadata=metadata))
    # Pods are refused without it.
    core.create_namespaced_service_account(own_name, _service_account("default"))
    yield Namespace(name=own_name, server=server, api=api)


def _service_account(name: str) -> client.V1ServiceAccount:
    return client.V1ServiceAccount(metadata=client.V1ObjectMeta(name=name))
