"""A stage for whole runs."""

from pathlib import Path

import pytest

from loadtests.demo import judging
from loadtests.rig import load, waiting
from tests.unit.loadtests.demo.stage import Stage
from tests.unit.loadtests.rig.generators import generator


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Where a run takes place, with nothing real but its files."""
    made = Stage(tmp_path / "demo")
    monkeypatch.setattr(judging, "list_orders", made.list_orders)
    monkeypatch.setattr(waiting, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(load, "locust_command", generator)
    return made
