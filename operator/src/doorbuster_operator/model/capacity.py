"""How much one consumer can do."""

from dataclasses import dataclass
from enum import StrEnum


class CapacitySource(StrEnum):
    """Where the figure is from, best first."""

    MEASURED = "Measured"
    """Fitted over five minutes of the consumers' own counters (P18)."""
    LEARNED = "Learned"
    """Measured earlier, on the same pod template."""
    HINT = "Hint"
    """The spec's `capacityHint`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The capacity of one replica, in records a second.

    Attributes:
        at: when it was measured, in seconds since 1970.
        template: of which pod template; empty for a hint.
    """

    records_per_second: float
    source: CapacitySource
    at: float
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the consumers say about their batches, over five minutes (P18).

    Attributes:
        capacity: limit ÷ (a + b · limit), in records a second and replica; None while it can't be fitted.
        one_size: whether all batches had about one size, so that a and b can't be told apart and `capacity` is only a
            lower bound.
        fill: records in a batch on average ÷ the limit, lately; None when there was no batch.
        busy: share of the time that the busiest consumer spent on batches, lately; None when nobody says.
    """

    capacity: float | None
    one_size: bool
    fill: float | None
    busy: float | None
