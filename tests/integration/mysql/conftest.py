"""Fixtures of the MySQL tests: three pods with new volumes, one for the size `small`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.mysql.deployment import PASSWORDS, MySqlDeployment, mysql_pods
from tests.integration.pods import PodNetwork, free_network


@pytest.fixture(scope="session")
def mysql_secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Secret's files as a volume of a pod shows them."""
    folder = tmp_path_factory.mktemp("mysql")
    for account, password in PASSWORDS.items():
        path = folder / f"{account}-password"
        path.write_text(password)
        path.chmod(0o644)
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def group(images: dict[str, str], mysql_secrets: Path) -> Iterator[MySqlDeployment]:
    """Three pods for all tests of a module that leave them healthy; each of these tests waits for that first."""
    with free_network() as network:
        yield from deployed(network, images["mysql"], mysql_secrets, count=3)


@pytest.fixture
def three(network: PodNetwork, images: dict[str, str], mysql_secrets: Path) -> Iterator[MySqlDeployment]:
    """Three pods of its own for a test, started together on new volumes."""
    yield from deployed(network, images["mysql"], mysql_secrets, count=3)


@pytest.fixture
def single(network: PodNetwork, images: dict[str, str], mysql_secrets: Path) -> Iterator[MySqlDeployment]:
    """The one pod of the size `small`."""
    yield from deployed(network, images["mysql"], mysql_secrets, count=1)


def deployed(network: PodNetwork, image: str, secrets: Path, *, count: int) -> Iterator[MySqlDeployment]:
    """Start the pods, give them away, and print what they said before they are removed."""
    deployment = MySqlDeployment(pods=mysql_pods(network=network, image=image, secrets=secrets, count=count))
    try:
        for pod in deployment.pods:
            pod.create()
        yield deployment
    finally:
        # pytest shows it only for a test that failed.
        print(deployment.logs())  # noqa: T201
        for pod in deployment.pods:
            pod.remove()
