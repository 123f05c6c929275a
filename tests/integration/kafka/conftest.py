"""Fixtures of the Kafka tests: three nodes with new volumes for each module, one node for the size `small`."""

from collections.abc import Iterator

import pytest

from tests.integration.kafka.cluster import KafkaCluster, kafka_pods
from tests.integration.pods import PodNetwork

START_SECONDS = 120


@pytest.fixture(scope="module")
def three(network: PodNetwork, images: dict[str, str]) -> Iterator[KafkaCluster]:
    """Three nodes, complete; the tests of a module share them and leave them complete."""
    yield from deployed(KafkaCluster(pods=kafka_pods(network=network, image=images["kafka"], count=3)))


@pytest.fixture
def single(network: PodNetwork, images: dict[str, str]) -> Iterator[KafkaCluster]:
    """The one node of the size `small`."""
    yield from deployed(KafkaCluster(pods=kafka_pods(network=network, image=images["kafka"], count=1)))


def deployed(cluster: KafkaCluster) -> Iterator[KafkaCluster]:
    """Start the nodes, give them away, and print what they said before they are removed."""
    try:
        for pod in cluster.pods:
            pod.create()
        cluster.until_complete(START_SECONDS)
        yield cluster
    finally:
        # pytest shows it only for a test that failed.
        print(cluster.logs())  # noqa: T201
        for pod in cluster.pods:
            pod.remove()
