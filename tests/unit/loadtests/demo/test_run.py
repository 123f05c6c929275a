"""Whole runs, against a platform and a generator that stand for the real ones."""

import io
import json
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from doorbuster_cluster.progress import Progress
from loadtests.checks.orders import ListedOrder, OrderStatus
from loadtests.demo import course, load, watching
from loadtests.demo.interrupts import Interrupts
from loadtests.demo.observation import Look
from loadtests.demo.plan import Plan
from loadtests.demo.run import Screen, demonstrate
from loadtests.reports.evidence import Operator
from loadtests.reports.timeline import read_timeline
from loadtests.witness import read_witness
from tests.integration.polling import seconds_until
from tests.unit.loadtests.demo.clusters import deployment, scaler
from tests.unit.loadtests.demo.platforms import FakePlatform, generator, refused


class Stage:
    """Where runs take place; what they printed and wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = io.StringIO()
        self.platform = FakePlatform()
        self.looks = 0

    def run(self, operator: Operator = Operator.ON) -> int:
        plan = Plan(operator=operator, peak=5, folder=self.folder, base_url="http://127.0.0.1:1", seed=1)
        console = Console(file=self.printed, width=200)
        interrupts = Interrupts(console.print)
        with interrupts.watched():
            return demonstrate(
                plan, self.platform, self.look, interrupts=interrupts,
                show_on=Screen(console=console, progress=Progress(console)),
            )  # fmt: skip

    def look(self) -> Look:
        self.looks += 1
        return Look(figures={"lag": 1.0, "oldest_age": 2.0}, deployment=deployment(), scaler=scaler())

    def look_twice(self) -> None:
        """Return after a look that began now has been kept."""
        until = self.looks + 2
        seconds_until(lambda: self.looks >= until, within_seconds=20, what="two looks")

    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
        return found


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(tmp_path / "demo")

    async def list_orders(_base_url: str, users: Iterable[int]) -> dict[int, tuple[ListedOrder, ...]]:
        orders: dict[int, list[ListedOrder]] = {user: [] for user in users}
        for number, attempt in enumerate(read_witness(made.folder / "witness.jsonl")):
            failed = attempt.product_id == 401 and number >= 10
            orders[attempt.user_id].append(
                ListedOrder(
                    order_id=attempt.order_id or "",
                    status=OrderStatus.FAILED if failed else OrderStatus.PAID,
                    units={attempt.product_id: 1},
                    failure_reason="out-of-stock" if failed else None,
                )
            )
        return {user: tuple(found) for user, found in orders.items()}

    monkeypatch.setattr(course, "list_orders", list_orders)
    monkeypatch.setattr(load, "locust_command", generator)
    return made


def test_a_run_goes_from_rest_over_the_fault_back_to_rest(stage: Stage) -> None:
    stage.run()

    steps = [step for step in stage.platform.done if step not in {"restless", "unfinished"}]
    assert steps == [
        "check", "top_up 0", "top_up 10", "slow_down", "restore", "at_work", "oversold", "negative_points",
    ]  # fmt: skip
    assert stage.platform.values["consumers.stock.faults.delayPerRecord"] == "600ms"


def test_the_summary_has_what_was_found_out(stage: Stage) -> None:
    stage.run()

    summary = stage.summary()
    assert summary["orders"] == {"offered": 1020, "accepted": 1020, "paid": 1000, "failed": 20, "pending": 0}
    assert summary["hot"] == {"units": 10, "wanted": 30, "sold": 10}
    assert (summary["lost"], summary["doubled"], summary["oversold"]) == (0, 0, 0)
    assert summary["calibration"]["accepted"] == 150
    assert summary["seconds_until_final"] < 30
    # Nothing was scaled here, and the load was over before the next look: those promises aren't known, no others.
    failed = [check["name"] for check in summary["checks"] if not check["passed"]]
    assert [name for name in failed if "replicas" not in name and name != "oldest record age"] == []


def test_all_files_of_a_run_are_there(stage: Stage) -> None:
    stage.run()

    names = {path.name for path in stage.folder.iterdir()}
    assert names >= {
        "summary.json", "timeline.csv", "timeline.png", "witness.jsonl", "calibration-witness.jsonl",
    }  # fmt: skip
    assert read_timeline(stage.folder / "timeline.csv")[0].replicas == 1


def test_without_the_operator_pending_orders_are_what_is_expected(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first look is the calibration's, the second the one at the end of the load.
    stage.platform.pending = [0, 600]
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(load.Load, "wait_for_last_order", lambda *_: stage.look_twice())

    assert stage.run(Operator.OFF) == 0
    assert stage.summary()["verdict"] == "FAILED AS EXPECTED"
    assert stage.summary()["pending_at_load_end"] == 600
    assert stage.platform.values["autoscaling.paused"] == "true"
    assert "restore" in stage.platform.done


def test_a_run_that_does_not_begin_leaves_nothing_of_the_last_one(stage: Stage) -> None:
    stage.run()
    stage.platform.fails["check"] = refused()
    stage.run()

    assert [path.name for path in stage.folder.iterdir()] == ["timeline.csv"]


def test_an_unfit_platform_is_refused_and_left_alone(stage: Stage) -> None:
    stage.platform.fails["check"] = refused("a fault is set")

    assert stage.run() == 1
    assert stage.platform.done == ["check"]
    assert "a fault is set → make up" in stage.printed.getvalue()


def test_a_fault_that_could_not_be_rolled_out_is_taken_back(stage: Stage) -> None:
    stage.platform.fails["slow_down"] = refused()

    assert stage.run() == 1
    assert stage.platform.done[-2:] == ["restore", "at_work"]


def test_a_bug_does_not_leave_the_fault_behind(stage: Stage) -> None:
    stage.platform.fails["slow_down"] = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        stage.run()
    assert stage.platform.done[-2:] == ["restore", "at_work"]


def test_an_interrupted_run_is_brought_back_and_says_that_it_shows_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load.Load, "wait_for_last_order", lambda *_: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(load, "locust_command", generator)

    assert stage.run() == 130
    assert stage.platform.done[-1] == "at_work"
    assert "slow_down" not in stage.platform.done


def test_a_platform_that_was_not_brought_back_is_an_error_that_is_told(stage: Stage) -> None:
    stage.platform.fails["restore"] = refused()

    assert stage.run() == 1
    assert stage.platform.done.count("restore") == 3
    # The other steps of the clean-up are taken all the same.
    assert stage.platform.done[-1] == "at_work"
    assert "helm refuses → make up" in stage.printed.getvalue()


def test_a_generator_that_breaks_ends_the_run_with_what_it_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "locust_command", lambda: generator("raise SystemExit('no tokens')"))

    assert stage.run() == 1
    assert "no tokens" in stage.printed.getvalue()
