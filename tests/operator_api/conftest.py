"""What the tests of this tier share: one API server, and a namespace of each test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from tests.operator_api.api_server import ApiServer, connected
from tests.operator_api.control_plane import running_api_server
from tests.operator_api.foreign_crds import foreign_crds
from tests.operator_api.namespaces import Namespace, made_namespace
from tests.operator_api.operator_release import install_kind
from tests.operator_api.stage import Stage, set_stage


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    """etcd and kube-apiserver."""
    with running_api_server() as server:
        yield server


@pytest.fixture(scope="session")
def admin(api_server: ApiServer) -> Iterator[client.ApiClient]:
    """A client that may do everything."""
    with connected(api_server.kubeconfig) as api:
        yield api


@pytest.fixture
def namespace(api_server: ApiServer, admin: client.ApiClient) -> Iterator[Namespace]:
    """A new namespace, with pod security as ours."""
    with made_namespace(api_server, admin) as made:
        yield made


@pytest.fixture(scope="session")
def foreign_kinds(api_server: ApiServer) -> ApiServer:
    """The API server, with Gateway API's and the Prometheus operator's kinds that our charts use."""
    files = [flag for file in foreign_crds() for flag in ("--filename", file)]
    # Client-side apply would repeat them in an annotation, for which they are too long.
    api_server.run_kubectl("apply", "--server-side", *files)
    api_server.run_kubectl("wait", "--for=condition=Established", "--timeout=30s", *files)
    return api_server


@pytest.fixture
def scalers_known(api_server: ApiServer) -> ApiServer:
    """The API server, which knows ConsumerScalers; also after a test that removed them."""
    install_kind(api_server)
    return api_server


@pytest.fixture
def stage(scalers_known: ApiServer, namespace: Namespace, tmp_path: Path) -> Iterator[Stage]:
    """Consumers, a Prometheus and an operator that isn't started yet."""
    assert namespace.server is scalers_known
    with set_stage(namespace, tmp_path) as made:
        yield made
