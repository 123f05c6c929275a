"""Tests that are spread over processes: a run that leaves some out fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from doorbuster_cluster.settings import REPOSITORY

PYTEST_SECONDS = 60
# As Schemathesis makes them: several tests of one name.
TWICE = "def pytest_collection_modifyitems(items): items.extend(list(items))\n"


def spread(folder: Path, way: str) -> "subprocess.CompletedProcess[str]":
    """Run a test that is there twice, in two processes, as our own tests are run."""
    (folder / "tests").mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    shutil.copy(REPOSITORY / "tests" / "conftest.py", folder / "conftest.py")
    (folder / "tests" / "conftest.py").write_text(TWICE)
    (folder / "tests" / "test_nothing.py").write_text("def test_nothing(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "--numprocesses", "2", "--dist", way, str(folder)]
    # Without all others of our plugins it starts in a third of the time.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PYTEST_SECONDS, cwd=folder, env=environment
    )


def test_a_run_that_leaves_tests_out_fails_and_says_so(tmp_path: Path) -> None:
    ended = spread(tmp_path, "loadfile")

    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert "only 1 of 2 tests ran" in ended.stdout


def test_a_run_of_all_tests_passes(tmp_path: Path) -> None:
    ended = spread(tmp_path, "worksteal")

    assert ended.returncode == pytest.ExitCode.OK, ended.stdout
    assert "2 passed" in ended.stdout
