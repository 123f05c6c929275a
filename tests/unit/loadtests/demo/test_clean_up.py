"""Signals that come while a run is cleaned up, or between two of its parts."""

import signal

import pytest

from loadtests.rig.interrupts import Interrupts
from tests.unit.loadtests.demo.stage import Stage
from tests.unit.loadtests.rig.generators import refused


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("step", ["restore", "at_work", "misbooked"])
def test_a_run_that_was_complete_keeps_its_verdict(stage: Stage, step: str) -> None:
    stage.platform.on[step] = interrupt

    # Nothing was scaled here.
    assert stage.run() == 1
    assert (stage.summary()["verdict"], stage.summary()["interrupted"]) == ("FAILED", False)
    assert (stage.summary()["lost"], stage.summary()["misbooked"]) == (0, 0)
    assert "interrupted during the clean-up, which was carried out all the same" in stage.printed.getvalue()


def test_a_clean_up_that_was_cut_says_what_to_type(stage: Stage) -> None:
    stage.platform.on["restore"] = interrupt
    stage.platform.fails["restore"] = refused()

    assert stage.run() == 1
    assert "interrupted during the clean-up: type `make up`" in stage.printed.getvalue()
    # All the same it is known what became of the orders.
    assert (stage.summary()["lost"], stage.summary()["interrupted"]) == (0, False)


def test_a_signal_between_the_last_step_and_the_clean_up_ends_the_run_as_any_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = Interrupts.clean

    def interrupted(interrupts: Interrupts, what: str) -> None:
        if not interrupts.came:
            interrupt()
        clean(interrupts, what)

    monkeypatch.setattr(Interrupts, "clean", interrupted)

    assert stage.run() == 130
    assert stage.platform.done[-2:] == ["restore", "at_work"]
    assert stage.summary()["verdict"] == "INTERRUPTED"


def test_a_run_that_failed_by_itself_is_not_taken_for_an_interrupted_one(stage: Stage) -> None:
    stage.platform.fails["change"] = refused("no room")
    stage.platform.on["at_work"] = interrupt

    assert stage.run() == 1
    assert "no room" in stage.printed.getvalue()
