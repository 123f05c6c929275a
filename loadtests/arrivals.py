"""What became of a course's arrivals: how many were begun, and why the others were not.

It stands beside the witness. An arrival that was not begun has no line there, and nobody should have to guess why.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from loadtests.errors import WitnessDamaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """How the generator itself did.

    Attributes:
        started_at: the course's first moment, in seconds since 1970.
        scheduled: how many orders the course has.
        begun: how many were begun.
        too_late: not begun, because the generator came to it too late.
        no_room: not begun, because as many as are allowed were under way.
        latest_seconds: how long after its moment an order that was begun began, at most.
        cut_off: begun, and still without an end when the run was over; their last try is in the witness as unknown.
        finished: whether the course was carried out to its end; False while it runs, and after an interrupt.
    """

    started_at: float
    scheduled: int
    begun: int = 0
    too_late: int = 0
    no_room: int = 0
    latest_seconds: float = 0.0
    cut_off: int = 0
    finished: bool = False


def arrivals_path(witness: Path) -> Path:
    """Return the file that belongs to a witness: `orders.jsonl` has `orders.arrivals.json`."""
    return witness.with_suffix(".arrivals.json")


def write_arrivals(path: Path, arrivals: Arrivals) -> None:
    """Write the file, or write it anew; a reader sees the old content or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(arrivals), indent=2) + "\n")
    new.replace(path)


def read_arrivals(path: Path) -> Arrivals:
    """Return what the file says.

    Raises:
        WitnessDamaged: it says something else.
        FileNotFoundError: there is no such file.
    """
    try:
        return Arrivals(**json.loads(path.read_text()))
    except (ValueError, TypeError) as exc:
        raise WitnessDamaged(f"{path} doesn't tell what became of the arrivals: {exc}") from exc
