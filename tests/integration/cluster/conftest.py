"""The engine that has the images of the integration tier."""

import os

import pytest

from doorbuster_cluster.builds.engine import Engine


@pytest.fixture(scope="session")
def engine(images: dict[str, str]) -> Engine:
    """The engine; `images` has pointed its clients at it."""
    made = Engine(address=os.environ.get("DOCKER_HOST"), own=False)
    assert made.has_image(images["redis"])
    return made
