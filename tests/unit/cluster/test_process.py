import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doorbuster_cluster.errors import CommandFailed, CommandTimedOut
from doorbuster_cluster.process import Completed, attempt, attend, end_running_programs, run
from doorbuster_cluster.settings import REPOSITORY
from tests.integration.polling import seconds_until

# Attends a program that writes down each signal that it gets, and ends at the last one.
ATTENDS = """
import os, signal, sys
from pathlib import Path
from doorbuster_cluster.process import attend

# Whoever runs the tests in the background has them started with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
script = "trap 'echo INT' INT; trap 'echo TERM; exit 7' TERM; echo began; while true; do sleep 0.05; done"
sys.exit(attend(["sh", "-c", script], env=os.environ, cwd=Path.cwd()))
"""


def test_output_of_a_program_that_succeeds_is_returned() -> None:
    assert run(["printf", "two\nlines\n"]) == "two\nlines\n"


def test_words_reach_the_program_unchanged() -> None:
    assert run(["printf", "%s|", "a b", "$HOME", "*"]) == "a b|$HOME|*|"


def test_a_failure_names_the_program_its_status_and_what_it_said() -> None:
    with pytest.raises(CommandFailed) as failure:
        run(["sh", "-c", "echo about to; echo broken pipe >&2; exit 3"])

    assert str(failure.value) == "sh -c echo about to; echo broken pipe >&2; exit 3 ended with 3:\n  broken pipe"


def test_a_failure_without_standard_error_shows_standard_output() -> None:
    with pytest.raises(CommandFailed, match="only this"):
        run(["sh", "-c", "echo only this; exit 1"])


def test_a_silent_failure_says_so() -> None:
    with pytest.raises(CommandFailed, match="it printed nothing"):
        run(["false"])


def test_a_failure_shows_the_last_lines_only() -> None:
    with pytest.raises(CommandFailed) as failure:
        run(["sh", "-c", "seq 100 >&2; exit 1"])

    shown = [line.strip() for line in str(failure.value).splitlines()[1:]]
    assert shown == [str(number) for number in range(86, 101)]


def test_a_long_command_line_is_shortened() -> None:
    with pytest.raises(CommandFailed) as failure:
        run(["false", "x" * 500])

    assert len(str(failure.value).splitlines()[0]) < 200


def test_attempt_returns_how_a_program_failed() -> None:
    assert attempt(["sh", "-c", "echo out; echo err >&2; exit 4"]) == Completed(
        returncode=4, stdout="out\n", stderr="err\n"
    )


def test_a_program_that_is_not_there_is_a_failure_with_a_reason() -> None:
    with pytest.raises(CommandFailed, match="no-such-program could not be started: No such file or directory"):
        attempt(["no-such-program"])


def test_a_program_that_takes_too_long_is_killed() -> None:
    began = time.monotonic()

    with pytest.raises(CommandTimedOut, match="sleep 60 did not end within 0 s"):
        run(["sleep", "60"], timeout_seconds=0.1)

    assert time.monotonic() - began < 30


def test_a_left_over_child_does_not_keep_a_killed_program_waiting() -> None:
    began = time.monotonic()

    with pytest.raises(CommandTimedOut):
        # The grandchild keeps the pipes open, as a daemon does that a program has started.
        run(["sh", "-c", "sleep 20 & wait"], timeout_seconds=0.1)

    assert time.monotonic() - began < 15


def test_programs_that_other_threads_wait_for_are_ended(tmp_path: Path) -> None:
    mark = tmp_path / "began"
    script = f"trap 'exit 7' TERM; touch {mark}; while true; do sleep 0.05; done"
    with ThreadPoolExecutor(max_workers=2) as threads:
        waiting = [threads.submit(attempt, ["sh", "-c", script]) for _ in range(2)]
        seconds_until(mark.exists, within_seconds=30, what="a program runs")

        while any(not each.done() for each in waiting):
            end_running_programs()

        assert {each.result().returncode for each in waiting} <= {7, -signal.SIGTERM}


def test_text_is_fed_to_standard_input() -> None:
    assert run(["cat"], stdin="fed\n") == "fed\n"


def test_without_text_standard_input_is_empty() -> None:
    assert run(["cat"]) == ""


def test_environment_and_folder_are_the_given_ones(tmp_path: Path) -> None:
    script = "import os; print(os.environ['ANSWER'], 'HOME' in os.environ, os.getcwd())"

    assert run([sys.executable, "-c", script], env={"ANSWER": "42"}, cwd=tmp_path) == f"42 False {tmp_path}\n"


def test_output_that_is_not_text_does_not_break_the_run() -> None:
    assert run(["printf", "\\377ok"]) == "�ok"


def test_an_attended_program_has_the_given_environment_and_folder(tmp_path: Path) -> None:
    script = "import os, pathlib, sys; pathlib.Path('seen').write_text(os.environ['ANSWER']); sys.exit(3)"

    assert attend([sys.executable, "-c", script], env={"ANSWER": "42"}, cwd=tmp_path) == 3
    assert (tmp_path / "seen").read_text() == "42"


def test_an_attended_program_that_is_not_there_is_a_failure_with_a_reason(tmp_path: Path) -> None:
    former = signal.getsignal(signal.SIGINT)

    with pytest.raises(CommandFailed, match="no-such-program could not be started: No such file or directory"):
        attend(["no-such-program"], env={}, cwd=tmp_path)

    assert signal.getsignal(signal.SIGINT) is former


def test_an_attended_program_is_outlasted_and_told_once() -> None:
    attending = subprocess.Popen(
        [sys.executable, "-c", ATTENDS],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "cluster" / "src")},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with attending:
        assert attending.stdout is not None
        assert attending.stdout.readline() == "began\n"
        # As a terminal does it: to the whole group.
        os.killpg(attending.pid, signal.SIGINT)
        assert attending.stdout.readline() == "INT\n"
        attending.send_signal(signal.SIGTERM)
        rest = attending.stdout.read()

    assert (attending.returncode, rest) == (7, "TERM\n")
