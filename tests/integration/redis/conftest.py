"""Fixtures of the Redis tests: three pods with new volumes for each test, one for the size `small`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.pods import PodNetwork
from tests.integration.redis.deployment import PASSWORD, RedisDeployment, redis_pods


@pytest.fixture(scope="session")
def password_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secret's file as a volume of a pod shows it."""
    path = tmp_path_factory.mktemp("redis") / "password"
    path.write_text(PASSWORD)
    path.chmod(0o644)
    path.parent.chmod(0o755)
    return path


@pytest.fixture
def three(network: PodNetwork, images: dict[str, str], password_file: Path) -> Iterator[RedisDeployment]:
    """Three pods, started together on new volumes."""
    yield from deployed(network, images["redis"], password_file, count=3)


@pytest.fixture
def single(network: PodNetwork, images: dict[str, str], password_file: Path) -> Iterator[RedisDeployment]:
    """The one pod of the size `small`."""
    yield from deployed(network, images["redis"], password_file, count=1)


def deployed(network: PodNetwork, image: str, password_file: Path, *, count: int) -> Iterator[RedisDeployment]:
    """Start the pods, give them away, and print what they said before they are removed."""
    deployment = RedisDeployment(
        pods=redis_pods(network=network, image=image, password_file=password_file, count=count)
    )
    try:
        for pod in deployment.pods:
            pod.create()
        yield deployment
    finally:
        # pytest shows it only for a test that failed.
        print(deployment.logs())  # noqa: T201
        for pod in deployment.pods:
            pod.remove()
