"""What is cached: the bytes that clients get, and the version of the row that they were made of (R6)."""

from dataclasses import dataclass

# Grows when the form of what is kept changes, so that an older release's copies are misses and not misread.
FORMAT = b"1"
# More are no version of ours.
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A copy of one row."""

    version: int
    body: bytes


class Undecodable(ValueError):
    """These bytes are no entry of this release."""


def pack(entry: Entry) -> bytes:
    """Return an entry as it is kept in Redis, where scripts read its version: format, version, body."""
    return b"%b %d %b" % (FORMAT, entry.version, entry.body)


def unpack(raw: bytes) -> Entry:
    """Return what was packed.

    Raises:
        Undecodable: it wasn't, or by another release.
    """
    parts = raw.split(b" ", 2)
    if len(parts) != 3 or parts[0] != FORMAT or not _is_version(parts[1]):
        raise Undecodable(f"{len(raw)} bytes that are no entry")
    return Entry(version=int(parts[1]), body=parts[2])


def _is_version(digits: bytes) -> bool:
    return digits.isdigit() and len(digits) <= _MOST_DIGITS
