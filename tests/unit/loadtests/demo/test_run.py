import signal

import pytest

from loadtests.demo import results, watching
from loadtests.reports.evidence import Operator
from loadtests.reports.timeline import read_timeline
from loadtests.rig import load
from loadtests.rig.errors import QuestionFailed
from tests.unit.loadtests.demo.stage import Stage
from tests.unit.loadtests.rig.generators import generator, refused


def test_a_run_goes_from_rest_over_the_fault_back_to_rest(stage: Stage) -> None:
    stage.run()

    steps = [step for step in stage.platform.done if step not in {"restless", "unfinished"}]
    assert steps == [
        "check", "top_up 0", "top_up 10", "change", "restore", "at_work", "oversold", "negative_points",
        "misbooked",
    ]  # fmt: skip
    assert stage.platform.values["consumers.stock.faults.delayPerRecord"] == "600ms"


def test_the_summary_has_what_was_found_out(stage: Stage) -> None:
    stage.run()

    summary = stage.summary()
    assert summary["orders"] == {
        "offered": 1020,
        "accepted": 1020,
        "sold_out": 0,
        "paid": 1000,
        "failed": 20,
        "pending": 0,
    }
    assert summary["hot"] == {"units": 10, "wanted": 30, "sold_out": 0, "sold": 10}
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
    stage.platform.fails["change"] = refused()

    assert stage.run() == 1
    assert stage.platform.done[-2:] == ["restore", "at_work"]


def test_a_bug_does_not_leave_the_fault_behind(stage: Stage) -> None:
    stage.platform.fails["change"] = ZeroDivisionError()

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
    assert "change" not in stage.platform.done


def test_a_platform_that_was_not_brought_back_is_an_error_that_is_told(stage: Stage) -> None:
    stage.platform.fails["restore"] = refused()

    assert stage.run() == 1
    assert stage.platform.done.count("restore") == 3
    # The other steps of the clean-up are taken all the same, and nothing keeps the orders from being judged.
    assert "at_work" in stage.platform.done
    assert stage.summary()["lost"] == 0
    assert "helm refuses → make up" in stage.printed.getvalue()


def test_a_generator_that_breaks_ends_the_run_with_what_it_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "locust_command", lambda: generator("raise SystemExit('no tokens')"))

    assert stage.run() == 1
    assert "no tokens" in stage.printed.getvalue()


def test_an_order_that_the_calibration_lost_is_one_that_the_run_lost(stage: Stage) -> None:
    # Both loads have an order of this name.
    stage.forgotten = {"order-7"}

    assert stage.run() == 1
    assert (stage.summary()["lost"], stage.summary()["verdict"]) == (2, "FAILED")


def test_how_many_were_pending_is_asked_again_when_no_answer_came(stage: Stage) -> None:
    stage.platform.pending = [0, QuestionFailed("no answer"), QuestionFailed("no answer"), 600]
    stage.run(Operator.OFF)

    assert stage.summary()["pending_at_load_end"] == 600


def test_a_database_without_an_answer_is_asked_again_for_the_verdict(stage: Stage) -> None:
    def answer_the_third_time() -> None:
        if stage.platform.done.count("misbooked") == 3:
            del stage.platform.fails["misbooked"]

    stage.platform.fails["misbooked"] = QuestionFailed("no answer")
    stage.platform.on["misbooked"] = answer_the_third_time
    stage.run()

    assert stage.summary()["misbooked"] == 0


def test_a_picture_that_can_not_be_drawn_hides_no_check(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(*_: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr(results, "draw", draw)
    stage.run()

    printed = stage.printed.getvalue()
    assert "orders lost" in printed
    assert f"error: {stage.folder / 'timeline.png'} could not be written: ValueError('no room')" in printed
    assert stage.summary()["lost"] == 0
