"""The witness: what each shopper tried and was told, one JSON line a try.

*Lost* is judged from this file, never from the database alone. A line is written when its try ends, with one write to
the file, so that it can be read while the load runs and a crash cuts at most the last line.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from loadtests.errors import WitnessDamaged


class Outcome(StrEnum):
    """How a try ended, as the client knows it."""

    OK = "ok"
    """An answer that accepts, with an id that was read."""
    FAIL = "fail"
    """An answer that says no."""
    SOLD_OUT = "sold_out"
    """A business answer: there is nothing left, and this try ordered nothing."""
    UNKNOWN = "unknown"
    """No answer, or one that doesn't say: the order may have been accepted or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to place an order. Tries with the same key are the same order, repeated.

    Attributes:
        at: when it began, in seconds since 1970.
        key: the idempotency key.
        user_id: who ordered.
        product_id: what, one unit of it.
        outcome: how it ended.
        order_id: the id that was read; None unless the outcome is `ok`.
        status: the answer's status; None if there was no answer.
        seconds: how long it took.
    """

    at: float
    key: str
    user_id: int
    product_id: int
    outcome: Outcome
    order_id: str | None
    status: int | None
    seconds: float


class WitnessWriter:
    """Appends attempts to a file. A context manager; nobody else writes to that file meanwhile."""

    def __init__(self, path: Path) -> None:
        """Open the file, and make it and its folder if there are none. A cut last line is taken away."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # Appended to a cut line, the next one would be lost as well.
        whole = _whole_lines(path.read_bytes()) if path.exists() else b""
        # Without a buffer: what was written is in the file.
        self._file = path.open("ab", buffering=0)
        self._file.truncate(len(whole))

    def write(self, attempt: Attempt) -> None:
        """Append one line; it can be read as soon as this returns."""
        line = json.dumps(asdict(attempt), separators=(",", ":")) + "\n"
        self._file.write(line.encode())

    def close(self) -> None:
        """Put everything onto the disk, and close the file."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def __enter__(self) -> "WitnessWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class WitnessTail:
    """Reads a witness while it is written: each attempt once."""

    def __init__(self, path: Path) -> None:
        """Begin before the first line; the file may not be there yet."""
        self._path = path
        self._read_bytes = 0
        self._read_lines = 0

    def new(self) -> list[Attempt]:
        """Return the attempts that were added since the last call; empty while there is no file.

        Raises:
            WitnessDamaged: a whole line is no attempt.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._read_bytes)
                added = _whole_lines(file.read())
        except FileNotFoundError:
            return []
        lines = added.splitlines()
        found = [self._attempt(line, self._read_lines + number) for number, line in enumerate(lines, start=1)]
        self._read_bytes += len(added)
        self._read_lines += len(lines)
        return found

    def _attempt(self, line: bytes, number: int) -> Attempt:
        try:
            fields = json.loads(line)
            return Attempt(**{**fields, "outcome": Outcome(fields["outcome"])})
        except (ValueError, TypeError, KeyError) as exc:
            raise WitnessDamaged(f"line {number} of {self._path} is no attempt: {exc}") from exc


def read_witness(path: Path) -> Iterator[Attempt]:
    """Yield all attempts of a file in the order in which they ended; a cut last line is skipped.

    Raises:
        WitnessDamaged: a whole line is no attempt.
        FileNotFoundError: there is no such file.
    """
    path.stat()
    yield from WitnessTail(path).new()


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]
