import re
from pathlib import Path

import pytest

from doorbuster_cluster.settings import REPOSITORY
from tests.architecture.repository import files, shown, text_of

LOCKED = re.compile(
    r"[A-Za-z0-9._-]+(\[[a-z0-9,-]+\])?==\S+"  # name, extras, version
    r"( ; [^#]+?)?"  # for which Python or system
    r"( --hash=sha256:[0-9a-f]{64})+"
)


def lock_files() -> list[Path]:
    return [path for path in files("*.txt") if path.parent == REPOSITORY / "requirements"]


def requirements(path: Path) -> list[str]:
    """Return the file's lines without comments, continued ones joined, blanks as one."""
    joined = text_of(path).replace("\\\n", " ")
    lines = (line.partition(" #")[0] for line in joined.splitlines() if not line.lstrip().startswith("#"))
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_there_are_locked_requirements() -> None:
    assert lock_files() != []


@pytest.mark.parametrize("path", lock_files(), ids=shown)
def test_every_requirement_is_pinned_with_hashes_and_no_index(path: Path) -> None:
    # An option such as --index-url is a line that doesn't match.
    assert [line for line in requirements(path) if not LOCKED.fullmatch(line)] == []
