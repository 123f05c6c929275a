"""A stage for whole runs, with nothing real but its files."""

from pathlib import Path

import pytest

from loadtests.rig import load, waiting
from loadtests.trials import coupons, order_ramp, steps
from tests.unit.loadtests.trials.generators import stand_in
from tests.unit.loadtests.trials.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(tmp_path / "scenario")
    monkeypatch.setattr(steps, "list_orders", made.list_orders)
    monkeypatch.setattr(steps, "balances_of", made.balances_of)
    monkeypatch.setattr(coupons, "issues_seen", made.issues_seen)
    monkeypatch.setattr(coupons, "issues_wanted", made.issues_wanted)
    monkeypatch.setattr(load, "locust_command", stand_in)
    # 1,020 orders in place of 20,400.
    monkeypatch.setattr(order_ramp, "PEAK", 5.0)
    monkeypatch.setattr(load.Load, "wait_for_last_order", lambda *_: None)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "PAUSE_SECONDS", 0.01)
    return made
