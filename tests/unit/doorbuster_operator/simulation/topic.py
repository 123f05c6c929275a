"""One partition: what came in, what was worked off, what was committed."""

import math
from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Log:
    """Offsets of one partition; `share` of all arrivals come to it, `arrived` of them in the last step."""

    share: float
    end: int = 0
    arrived: int = 0
    position: int = 0
    committed: int = 0
    arrivals: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def waiting(self) -> int:
        return self.end - self.position

    def arrive(self, count: int, at: float) -> None:
        self.arrived = count
        self.end += count
        if count:
            self.arrivals.append((at, self.end))

    def oldest_at(self) -> float:
        """Return when the oldest record came that isn't worked off; infinite when there is none."""
        while self.arrivals and self.arrivals[0][1] <= self.position:
            self.arrivals.popleft()
        return self.arrivals[0][0] if self.arrivals else math.inf

    def oldest_age(self, now: float) -> float:
        """Return how long the oldest record that isn't worked off has waited, in seconds; 0 when there is none."""
        return max(0.0, now - self.oldest_at())
