"""Names for content: what was built from the same inputs has the same digest, so it isn't built again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

DIGEST_LENGTH = 16


def digest_of(*parts: str | bytes) -> str:
    """Return 16 hexadecimal digits (64 bits) that stand for the parts and their order.

    Sixty-four bits are plenty: the names are compared among the builds of one machine, not against an attacker.
    """
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:DIGEST_LENGTH]


def digest_of_files(root: Path, files: Iterable[Path]) -> str:
    """Return the digest of the files' paths below `root`, their modes' executable bit and their content."""
    parts: list[str | bytes] = []
    for path in sorted(files):
        executable = "x" if path.stat().st_mode & 0o100 else "-"
        parts += [path.relative_to(root).as_posix(), executable, path.read_bytes()]
    return digest_of(*parts)


def files_below(folder: Path) -> list[Path]:
    """Return every regular file below the folder, sorted; Python's caches don't count."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
