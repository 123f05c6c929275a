"""The files of this repository as git sees them: committed ones, and new ones that nobody told it to ignore."""

from functools import cache
from pathlib import Path

from doorbuster_cluster.process import run
from doorbuster_cluster.settings import REPOSITORY

PYTHON = "*.py"


@cache
def all_files() -> tuple[Path, ...]:
    """Return every regular file, sorted, as an absolute path."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY)
    # A file that is deleted but not yet staged is still listed.
    paths = (REPOSITORY / name for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def files(*patterns: str) -> tuple[Path, ...]:
    """Return the files whose names match one of the patterns."""
    return tuple(path for path in all_files() if any(path.match(pattern) for pattern in patterns))


def shown(path: Path) -> str:
    """Return the path as a person in the repository's folder writes it."""
    return path.relative_to(REPOSITORY).as_posix()


def text_of(path: Path) -> str:
    """Return a file's text; what isn't text becomes replacement characters."""
    return path.read_text(errors="replace")
