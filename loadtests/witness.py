"""The witness: what each shopper tried and was told, one JSON line a try.

*Lost* is judged from this file, never from the database alone. A line is written when its try ends, with one write to
the file, so that it can be read while the load runs and a crash cuts at most the last line.
"""

import json
import os
from collections.abc import Iterator, Mapping
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
        product_id: what, one unit of it; of a cart, its first line's.
        outcome: how it ended.
        order_id: the id that was read; None unless the outcome is `ok`.
        status: the answer's status; None if there was no answer.
        seconds: how long it took.
        units: how many of each product were in the cart that was ordered; None if it was no cart.
    """

    at: float
    key: str
    user_id: int
    product_id: int
    outcome: Outcome
    order_id: str | None
    status: int | None
    seconds: float
    units: Mapping[int, int] | None = None

    @property
    def wanted(self) -> Mapping[int, int]:
        """How many of each product were ordered."""
        return {self.product_id: 1} if self.units is None else self.units


class CallKind(StrEnum):
    """What a request is, when it is no order."""

    CHARGE = "charge"
    ISSUE = "issue"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One try of a request that is no order. Tries with the same key are the same intent, repeated.

    Attributes:
        at: when it began, in seconds since 1970.
        kind: what it is.
        key: names the intent.
        user_id: who asked.
        about: the points that are charged, the coupon that is wanted, the product that is looked at.
        outcome: how it ended.
        found_id: the id that was read; None unless the outcome is `ok`.
        status: the answer's status; None if there was no answer.
        seconds: how long it took.
    """

    at: float
    kind: CallKind
    key: str
    user_id: int
    about: int
    outcome: Outcome
    found_id: str | None
    status: int | None
    seconds: float


def calls_path(witness: Path) -> Path:
    """Return the file for requests that are no orders: `orders.jsonl` has `orders.calls.jsonl`."""
    return witness.with_suffix(".calls.jsonl")


class WitnessWriter:
    """Appends attempts or calls to a file. A context manager; nobody else writes to that file meanwhile."""

    def __init__(self, path: Path) -> None:
        """Open the file, and make it and its folder if there are none. A cut last line is taken away."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # Appended to a cut line, the next one would be lost as well.
        whole = _whole_lines(path.read_bytes()) if path.exists() else b""
        # Without a buffer: what was written is in the file.
        self._file = path.open("ab", buffering=0)
        self._file.truncate(len(whole))

    def write(self, tried: Attempt | Call) -> None:
        """Append one line; it can be read as soon as this returns."""
        line = json.dumps(asdict(tried), separators=(",", ":")) + "\n"
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
            return Attempt(**{**fields, "outcome": Outcome(fields["outcome"]), "units": _units(fields.get("units"))})
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            raise WitnessDamaged(f"line {number} of {self._path} is no attempt: {exc}") from exc


def read_witness(path: Path) -> Iterator[Attempt]:
    """Yield all attempts of a file in the order in which they ended; a cut last line is skipped.

    Raises:
        WitnessDamaged: a whole line is no attempt.
        FileNotFoundError: there is no such file.
    """
    path.stat()
    yield from WitnessTail(path).new()


def read_calls(path: Path) -> Iterator[Call]:
    """Yield all calls of a file in the order in which they ended; a cut last line is skipped.

    Raises:
        WitnessDamaged: a whole line is no call.
        FileNotFoundError: there is no such file.
    """
    for number, line in enumerate(_whole_lines(path.read_bytes()).splitlines(), start=1):
        try:
            fields = json.loads(line)
            yield Call(**{**fields, "kind": CallKind(fields["kind"]), "outcome": Outcome(fields["outcome"])})
        except (ValueError, TypeError, KeyError) as exc:
            raise WitnessDamaged(f"line {number} of {path} is no call: {exc}") from exc


def _units(found: Mapping[str, int] | None) -> Mapping[int, int] | None:
    # JSON's names are texts.
    return None if found is None else {int(product_id): count for product_id, count in found.items()}


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]
