"""A lock between runs: whoever changes the same cluster or engine at the same time is refused, and told by whom.

The kernel's own lock on an open file (flock(2)): it goes with the process that holds it, also after `kill -9`, so
there is no stale lock to clean up by hand. What the file says is only for the message.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from doorbuster_cluster.errors import LockHeld

LONGEST_NOTE_BYTES = 1000


@contextmanager
def held(path: Path, purpose: str) -> Iterator[None]:
    """Hold the lock while the block runs.

    The file stays when the lock is given up: a deleted file would let a second run lock a new one beside it.

    Args:
        path: the lock's file; folders above it are made.
        purpose: what this run does, for the message that another run gets, e.g. `make up`.

    Raises:
        LockHeld: another process holds it; the message says which, what for and since when. There is no waiting.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without O_CLOEXEC an engine or a build that we start detached would keep the lock after we ended.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, path)
        _write_note(descriptor, f"process {os.getpid()} ({purpose}) since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, LONGEST_NOTE_BYTES, 0).decode(errors="replace").strip()
        raise LockHeld(
            f"{holder or 'another run, which began this very moment,'} holds {path}",
            hint="wait until it has ended, or end that process",
        ) from None


def _write_note(descriptor: int, note: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, note.encode()[:LONGEST_NOTE_BYTES], 0)
