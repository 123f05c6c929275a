import os
import signal
import sys
from pathlib import Path

import pytest

from loadtests.arrivals import Arrivals, arrivals_path, write_arrivals
from loadtests.config import CourseName, Rush, rush_from
from loadtests.rig import load
from loadtests.rig.errors import LoadFailed
from loadtests.rig.load import locust_command, locust_environment, offered
from tests.integration.polling import seconds_until
from tests.unit.loadtests.rig.generators import GENERATOR, generator

FOR_EVER = "import time; time.sleep(600)"


@pytest.fixture
def rush(tmp_path: Path) -> Rush:
    return Rush(
        base_url="http://127.0.0.1:1", first_user=1, users=2, first_product=3, products=1, course=CourseName.STEADY,
        peak=5, seconds=2, witness=tmp_path / "witness.jsonl",
    )  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "locust.log"


def script(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(load, "locust_command", lambda: generator(text))


def test_locust_runs_behind_everything_else_and_without_a_browser() -> None:
    words = locust_command()

    assert words[:4] == ["nice", "-n", "10", sys.executable]
    assert "--headless" in words


def test_the_rush_is_all_that_locust_is_told(rush: Rush) -> None:
    told = locust_environment(rush, {"PATH": "/bin", "LOADTEST_SEED": "9", "LOCUST_USERS": "7"})

    assert rush_from(told) == rush
    assert told["PATH"] == "/bin"
    assert "LOCUST_USERS" not in told


def test_a_load_that_was_carried_out_tells_its_arrivals(rush: Rush, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "locust_command", generator)

    with offered(rush, log) as offering:
        offering.wait_for_last_order(offering.begin())
        assert offering.finish().begun == 10


def test_locust_is_told_whose_end_is_its_own(rush: Rush, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, "import os; print(os.environ['LOADTEST_PARENT'], os.getppid())")

    with offered(rush, log) as offering:
        offering.process.wait(timeout=20)
    assert log.read_text().split() == [str(os.getpid())] * 2


def test_what_an_earlier_load_left_is_not_taken_for_this_one(
    rush: Rush, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rush.witness.write_text("{}\n")
    write_arrivals(arrivals_path(rush.witness), Arrivals(started_at=1, scheduled=1, finished=True))
    script(monkeypatch, "print('I do nothing')")

    with offered(rush, log) as offering, pytest.raises(LoadFailed, match="before the first order"):
        offering.begin()
    assert "I do nothing" in log.read_text()


def test_a_course_that_was_cut_short_is_a_failure_that_shows_the_last_lines(
    rush: Rush, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, "import sys; print('the reason'); sys.exit(2)")

    with offered(rush, log) as offering, pytest.raises(LoadFailed, match="ended with 2") as failure:
        offering.finish()
    assert "the reason" in str(failure.value)


def test_an_order_that_the_witness_does_not_tell_of_is_a_failure(
    rush: Rush, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, GENERATOR.replace("range(count)", "range(count - 1)"))

    with offered(rush, log) as offering, pytest.raises(LoadFailed, match="began 10 orders, and the witness tells of 9"):
        offering.finish()


def test_locust_ends_with_the_block(rush: Rush, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, FOR_EVER)

    with offered(rush, log) as offering:
        process = offering.process
    assert process.returncode == -signal.SIGTERM


def test_locust_ends_also_when_it_does_not_want_to(rush: Rush, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "END_SECONDS", 0.2)
    script(
        monkeypatch,
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
    )

    with offered(rush, log) as offering:
        seconds_until(lambda: "deaf" in log.read_text(), within_seconds=20, what="a program that ignores SIGTERM")
    assert offering.process.returncode == -signal.SIGKILL
