"""A world for each test."""

from collections.abc import Iterator

import pytest

from tests.unit.doorbuster_operator.reconcilers.world import NAME, World


@pytest.fixture
def world() -> Iterator[World]:
    """A target with one replica, and a decision that leaves it so."""
    made = World()
    yield made
    # Metrics are the process' own.
    made.reconciler.forget(NAME)
