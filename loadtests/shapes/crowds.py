"""A crowd: visitors who come one after the other, stay, and leave one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """How long one visitor is there, in seconds after the crowd's beginning."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """So many visitors, straight from none to all of them, and back.

    Attributes:
        visitors: at the most.
        rise_seconds: from none to all; 0 means at once.
        hold_seconds: for which all are there.
        fall_seconds: from all to none.

    Raises:
        ValueError: nobody comes, or a time is below 0.
    """

    visitors: int
    rise_seconds: float
    hold_seconds: float
    fall_seconds: float

    def __post_init__(self) -> None:
        if self.visitors < 1 or min(self.rise_seconds, self.hold_seconds, self.fall_seconds) < 0:
            raise ValueError(f"a crowd has visitors, and no time is below 0, not {self}")

    @property
    def seconds(self) -> float:
        """How long anybody is there."""
        return self.rise_seconds + self.hold_seconds + self.fall_seconds

    def stays(self) -> Iterator[Stay]:
        """Yield how long each visitor is there, by the moment at which they come; who came first leaves first.

        So everybody stays equally long where coming takes as long as leaving.
        """
        until = self.rise_seconds + self.hold_seconds
        for number in range(self.visitors):
            share = number / self.visitors
            yield Stay(begin=share * self.rise_seconds, end=until + share * self.fall_seconds)

    def present_at(self, seconds: float) -> int:
        """Return how many are there so many seconds after the beginning."""
        return sum(stay.begin <= seconds < stay.end for stay in self.stays())
