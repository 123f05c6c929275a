"""What was seen while a run went on, second by second: a CSV file that grows line by line, so a crash loses nothing."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from enum import StrEnum
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtests.reports.errors import NotATimeline


class Phase(StrEnum):
    """What a run is doing."""

    PREPARATION = "preparation"
    """Users, stock and an empty backlog are made ready."""
    CALIBRATION = "calibration"
    """The peak without the fault: can this machine offer and carry it at all?"""
    FAULT = "fault"
    """The fault delay is switched on and rolled out."""
    RAMP = "ramp"
    """More and more orders."""
    PEAK = "peak"
    """As many orders as there will be."""
    FADE = "fade"
    """Fewer and fewer orders."""
    QUIET = "quiet"
    """No more orders; what waits is worked off."""
    RECOVERY = "recovery"
    """The fault is switched off and the operator on; the platform is brought back to rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One look at the platform; None is not known, never 0.

    Attributes:
        seconds: since the run began.
        scheduled_per_s: orders that the course asks for.
        offered_per_s: orders that were sent.
        accepted_per_s: orders whose id was read by the client.
        pending: orders that are open: neither PAID nor FAILED, or FAILED and not yet compensated.
        lag: of the stock consumer group, in records.
        oldest_age_s: the oldest record age of that group.
        replicas: what the target asks for.
        ready: replicas that are ready.
        desired: what the operator says that the target should ask for.
        reason: the operator's, in its own word.
        note: what else happened; may hold any characters, and a carriage return becomes a line feed in a file.
    """

    seconds: float
    phase: Phase
    scheduled_per_s: float | None = None
    offered_per_s: float | None = None
    accepted_per_s: float | None = None
    paid_per_s: float | None = None
    failed_per_s: float | None = None
    pending: int | None = None
    lag: int | None = None
    oldest_age_s: float | None = None
    replicas: int | None = None
    ready: int | None = None
    desired: int | None = None
    reason: str | None = None
    note: str | None = None


COLUMNS = tuple(field.name for field in fields(Moment))
_COUNTS = frozenset({"pending", "lag", "replicas", "ready", "desired"})
_WORDS = frozenset({"reason", "note"})


class TimelineWriter:
    """Writes a timeline as it happens: each moment is in the file when `add` returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(COLUMNS)
        self._file.flush()

    def __enter__(self) -> Self:
        """Return this writer."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self.close()

    def add(self, moment: Moment) -> None:
        """Append a moment."""
        self._rows.writerow([_cell(getattr(moment, column)) for column in COLUMNS])
        self._file.flush()

    def close(self) -> None:
        """Close the file; twice is allowed."""
        self._file.close()


def clock(seconds: float) -> str:
    """Return a time since the run began as minutes and seconds: 3:07."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"


def write_timeline(path: Path, moments: Iterable[Moment]) -> None:
    """Write all moments, in place of what was there."""
    with TimelineWriter(path) as timeline:
        for moment in moments:
            timeline.add(moment)


def read_timeline(path: Path) -> tuple[Moment, ...]:
    """Return the moments of a timeline; a last line that was cut off is left out.

    Raises:
        NotATimeline: the columns are others, or a whole line can't be understood.
    """
    rows = csv.reader(StringIO(_whole_lines(path.read_bytes()), newline="\n"), strict=True)
    if next(rows, None) != list(COLUMNS):
        raise NotATimeline(f"{path} doesn't begin with the columns of a timeline.")
    try:
        return tuple(_moment(dict(zip(COLUMNS, row, strict=True))) for row in _whole_rows(rows))
    except ValueError as error:
        raise NotATimeline(f"{path} holds a line that can't be understood: {error}") from error


def _whole_lines(content: bytes) -> str:
    # What follows the last line feed was cut off, perhaps within a letter.
    return content[: content.rfind(b"\n") + 1].decode("utf-8", errors="replace")


def _whole_rows(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    # Strict, the reader objects to a file that ends inside of quotes: a note of several lines that was cut off.
    with suppress(csv.Error):
        yield from rows


def _cell(value: float | str | None) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    # The module `csv` doesn't quote a carriage return.
    return "" if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")


def _moment(row: Mapping[str, str]) -> Moment:
    values = {column: _value(column, cell) for column, cell in row.items() if column != "phase" and cell}
    return Moment(phase=Phase(row["phase"]), **values)  # type: ignore[arg-type] # `_value` gives each column its type


def _value(column: str, cell: str) -> float | str:
    if column in _WORDS:
        return cell
    return int(cell) if column in _COUNTS else float(cell)
