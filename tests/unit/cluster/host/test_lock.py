import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from doorbuster_cluster.errors import LockHeld
from doorbuster_cluster.host.lock import held
from doorbuster_cluster.settings import REPOSITORY

# Holds the lock, starts a child that outlives it, says so, and waits to be killed.
HOLDER = """
import subprocess, sys
from pathlib import Path
from doorbuster_cluster.host.lock import held
with held(Path(sys.argv[1]), "make up"):
    child = subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "state" / "lock"


def start_holder(lock: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, lock],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "cluster" / "src")},
    )


def test_a_second_run_is_refused_and_told_by_whom(lock: Path) -> None:
    with held(lock, "make up"), pytest.raises(LockHeld) as refusal, held(lock, "make down"):
        pytest.fail("the lock was given twice")

    pattern = (
        rf"process {os.getpid()} \(make up\) since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC holds {re.escape(str(lock))}"
    )
    assert re.fullmatch(pattern, str(refusal.value))


def test_the_lock_is_free_after_the_block(lock: Path) -> None:
    with held(lock, "make up"):
        pass

    with held(lock, "make down"):
        assert f"process {os.getpid()} (make down)" in lock.read_text()


def test_the_lock_is_free_after_an_error(lock: Path) -> None:
    def fail() -> None:
        with held(lock, "make up"):
            raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        fail()

    with held(lock, "make up"):
        assert lock.exists()


def test_a_longer_note_of_an_earlier_run_leaves_nothing_behind(lock: Path) -> None:
    with held(lock, "a purpose with many words"):
        pass

    with held(lock, "short"):
        assert "many words" not in lock.read_text()


def test_other_locks_are_other_locks(lock: Path) -> None:
    with held(lock, "one"), held(lock.with_name("other"), "other"):
        assert lock.exists()


def test_a_killed_holder_gives_up_the_lock_though_its_child_lives_on(lock: Path) -> None:
    holder = start_holder(lock)
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder:
        child = int(holder.stdout.readline())
        with pytest.raises(LockHeld, match=rf"process {holder.pid} \(make up\)"), held(lock, "make down"):
            pytest.fail("the lock was given twice")

        holder.kill()
        holder.wait(10)
        try:
            with held(lock, "make down"):
                os.kill(child, 0)
        finally:
            os.kill(child, signal.SIGKILL)
