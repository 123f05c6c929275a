"""The commands of the test tiers beside each other and one after the other."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from doorbuster_cluster.progress import Progress
from tests.commands import Command, Runner, TierFailed


@pytest.fixture
def runner() -> Runner:
    return Runner(progress=Progress(Console(file=StringIO())), shared=False, folder=None)


def shell(script: str) -> Command:
    return Command(("sh", "-c", script))


def test_a_lane_runs_its_commands_in_their_order(runner: Runner, tmp_path: Path) -> None:
    file = tmp_path / "said"

    runner.run_lanes([[shell(f"sleep 0.1; echo first >>{file}"), shell(f"echo second >>{file}")], [shell("true")]])

    assert file.read_text().split() == ["first", "second"]


def test_lanes_run_at_once(runner: Runner, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    # Each ends only when the other one has begun.
    meeting = "touch {0}; for i in $(seq 500); do [ -e {1} ] && exit 0; sleep 0.01; done; exit 1"

    runner.run_lanes([[shell(meeting.format(ours, theirs))], [shell(meeting.format(theirs, ours))]])


def test_everything_runs_although_one_fails_and_the_error_names_what_failed(runner: Runner, tmp_path: Path) -> None:
    after, beside = tmp_path / "after", tmp_path / "beside"

    with pytest.raises(TierFailed) as caught:
        runner.run_lanes([[shell("exit 3"), shell(f"touch {after}")], [shell(f"touch {beside}")]])

    assert str(caught.value) == "`sh -c exit 3` failed"
    assert after.exists()
    assert beside.exists()
