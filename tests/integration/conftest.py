"""What all integration tests share: the images that out/images.json names, the engine that holds them, a network."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.pods import PodNetwork, free_network

IMAGES_FILE = Path(__file__).parents[2] / "out" / "images.json"


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    """The image of each server; also points the engine's clients at the engine that has them."""
    document = json.loads(IMAGES_FILE.read_text())
    if document["docker_host"] is not None:
        os.environ["DOCKER_HOST"] = document["docker_host"]
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    found: dict[str, str] = document["images"]
    return found


@pytest.fixture(scope="module")
def network(images: dict[str, str]) -> Iterator[PodNetwork]:  # the images point at the engine
    """A network for the pods of a module's tests."""
    with free_network() as network:
        yield network
