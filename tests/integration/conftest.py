"""What all integration tests share: the images that out/images.json names, and the engine that holds them."""

import json
import os
from pathlib import Path

import pytest

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
