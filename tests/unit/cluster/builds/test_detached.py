import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doorbuster_cluster.builds.detached import Detached
from doorbuster_cluster.errors import CommandFailed, CommandTimedOut
from doorbuster_cluster.settings import REPOSITORY
from tests.integration.polling import seconds_until

PATIENCE_SECONDS = 20.0
# Notes that it began, and ends when the gate opens; the last word is its exit status. Bounded, should nobody open it.
GATED = """
echo begun >> begun
for i in $(seq 400); do [ -e gate ] && exit "$1"; sleep 0.05; done
"""
# Waits for the build as `make up` does, until it is killed.
STARTER = """
import sys
from pathlib import Path
from tests.unit.cluster.builds.test_detached import gated
gated(Path(sys.argv[1]), status=int(sys.argv[2])).wait(60)
"""


def build(folder: Path, *argv: str, name: str = "program") -> Detached:
    return Detached(name=name, argv=argv, cwd=folder, environment=os.environ, folder=folder / "logs")


def gated(folder: Path, status: int = 0) -> Detached:
    return build(folder, "sh", "-c", GATED, "gated", str(status))


def starts(folder: Path) -> int:
    begun = folder / "begun"
    return begun.read_text().count("begun") if begun.exists() else 0


def pid_of(folder: Path) -> int:
    return int((folder / "logs" / "program.pid").read_text().split()[0])


def wait_for_start(folder: Path) -> None:
    seconds_until(lambda: starts(folder) > 0 and pid_of(folder) > 0, within_seconds=PATIENCE_SECONDS, what="a start")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    # Whatever still waits for it may go.
    (tmp_path / "gate").touch()


def test_a_build_that_succeeds_leaves_its_log_and_no_pid(folder: Path) -> None:
    done = build(folder, "sh", "-c", "echo out; echo err >&2")

    done.wait(PATIENCE_SECONDS)

    assert done.log.read_text() == "out\nerr\n"
    assert sorted(path.name for path in done.folder.iterdir()) == ["program.exit", "program.log"]


def test_words_folder_and_environment_are_the_given_ones(folder: Path) -> None:
    script = 'echo "$1|$2|$ANSWER|$HOME|$PWD"'
    done = Detached(
        name="program",
        argv=["/bin/sh", "-c", script, "sh", "a b; exit 3", "$HOME 'x'"],
        cwd=folder,
        environment={"ANSWER": "42"},
        folder=folder / "logs",
    )

    done.wait(PATIENCE_SECONDS)

    assert done.log.read_text() == f"a b; exit 3|$HOME 'x'|42||{folder}\n"


def test_a_failure_shows_its_status_and_the_end_of_its_log(folder: Path) -> None:
    failing = build(folder, "sh", "-c", "seq 100; exit 7")

    with pytest.raises(CommandFailed) as failure:
        failing.wait(PATIENCE_SECONDS)

    head, *tail = str(failure.value).splitlines()
    assert head == "program failed (7):"
    assert [line.strip() for line in tail] == [str(number) for number in range(86, 101)]
    assert failure.value.hint == f"the whole log: {failing.log}"


def test_a_program_that_is_not_there_is_a_failure(folder: Path) -> None:
    with pytest.raises(CommandFailed, match=r"program failed \(127\):\n.*no-such-program.*not found"):
        build(folder, "no-such-program").wait(PATIENCE_SECONDS)


def test_a_build_that_takes_too_long_goes_on_and_the_next_wait_attaches_to_it(folder: Path) -> None:
    with pytest.raises(CommandTimedOut, match="program still runs after 0 s") as late:
        gated(folder).wait(0.01)

    wait_for_start(folder)
    (folder / "gate").touch()
    gated(folder).wait(PATIENCE_SECONDS)

    assert late.value.hint == f"see {folder / 'logs' / 'program.log'}"
    assert starts(folder) == 1


def test_two_waiters_wait_for_one_build(folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(gated(folder).wait, PATIENCE_SECONDS)
        wait_for_start(folder)
        second = pool.submit(gated(folder).wait, PATIENCE_SECONDS)
        (folder / "gate").touch()

        assert (first.result(PATIENCE_SECONDS), second.result(PATIENCE_SECONDS)) == (None, None)
    assert starts(folder) == 1


def test_builds_of_other_names_are_others(folder: Path) -> None:
    one, other = (build(folder, "echo", name, name=name) for name in ("one", "other"))

    one.wait(PATIENCE_SECONDS)
    other.wait(PATIENCE_SECONDS)

    assert (one.log.read_text(), other.log.read_text()) == ("one\n", "other\n")


def test_a_build_has_a_session_of_its_own_so_that_the_terminals_ctrl_c_does_not_reach_it(folder: Path) -> None:
    with pytest.raises(CommandTimedOut):
        gated(folder).wait(0.01)

    assert os.getsid(pid_of(folder)) == pid_of(folder)


def test_a_build_that_is_killed_is_reported(folder: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gated(folder).wait, PATIENCE_SECONDS)
        wait_for_start(folder)
        os.killpg(pid_of(folder), signal.SIGKILL)
        error = waiting.exception(PATIENCE_SECONDS)

    assert isinstance(error, CommandFailed)
    assert str(error).startswith("program failed (no exit status: it was killed):")


def test_a_build_that_was_killed_unseen_is_started_again(folder: Path) -> None:
    with pytest.raises(CommandTimedOut):
        gated(folder).wait(0.01)
    wait_for_start(folder)
    os.killpg(pid_of(folder), signal.SIGKILL)

    end_unseen(folder)
    gated(folder).wait(PATIENCE_SECONDS)

    assert starts(folder) == 2


def test_another_process_with_the_builds_number_is_not_taken_for_it(folder: Path) -> None:
    done = build(folder, "true")
    done.folder.mkdir()
    # This very process runs, but it began at another time.
    (done.folder / "program.pid").write_text(f"{os.getpid()} 1")

    done.wait(PATIENCE_SECONDS)

    assert (done.folder / "program.exit").read_text() == "0\n"


@pytest.mark.parametrize("content", ["", "12", "12 13 14", "no number"])
def test_a_damaged_pid_file_is_no_running_build(folder: Path, content: str) -> None:
    done = build(folder, "true")
    done.folder.mkdir()
    (done.folder / "program.pid").write_text(content)

    done.wait(PATIENCE_SECONDS)

    assert (done.folder / "program.exit").read_text() == "0\n"


def start_and_kill_the_starter(folder: Path, status: int = 0) -> None:
    """Start the build from another process that is killed while it waits."""
    paths = os.pathsep.join([str(REPOSITORY / "cluster" / "src"), str(REPOSITORY)])
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, folder, str(status)], env={**os.environ, "PYTHONPATH": paths}
    )
    wait_for_start(folder)
    starter.kill()
    assert starter.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def end_unseen(folder: Path) -> None:
    """Let the build end while nobody waits for it."""
    pid = pid_of(folder)
    (folder / "gate").touch()
    seconds_until(lambda: not Path(f"/proc/{pid}").exists(), within_seconds=PATIENCE_SECONDS, what="its end")


def test_a_build_outlives_its_killed_starter_and_the_next_run_attaches_to_it(folder: Path) -> None:
    start_and_kill_the_starter(folder)

    with pytest.raises(CommandTimedOut):
        gated(folder).wait(0.01)
    (folder / "gate").touch()
    gated(folder).wait(PATIENCE_SECONDS)

    assert starts(folder) == 1


def test_a_build_that_succeeded_after_its_starter_was_killed_is_not_made_again(folder: Path) -> None:
    start_and_kill_the_starter(folder)
    end_unseen(folder)

    gated(folder).wait(PATIENCE_SECONDS)

    assert starts(folder) == 1


def test_a_success_counts_once(folder: Path) -> None:
    # The caller has used up what was made, and asks again because it needs it again.
    (folder / "gate").touch()

    gated(folder).wait(PATIENCE_SECONDS)
    gated(folder).wait(PATIENCE_SECONDS)

    assert starts(folder) == 2


def test_a_build_that_failed_after_its_starter_was_killed_is_tried_again(folder: Path) -> None:
    start_and_kill_the_starter(folder, status=1)
    end_unseen(folder)

    gated(folder).wait(PATIENCE_SECONDS)

    assert starts(folder) == 2
