"""Says whether ticks still come, so that Kubernetes starts an operator anew that is stuck."""

import time
from collections.abc import Callable

# A tick that is late waits for calls with time-outs of its own; six without any end have no such reason.
MOST_TICKS_MISSED = 6


class TicksStopped(Exception):
    """No tick has ended for too long."""


class Heartbeat:
    """When the last tick ended."""

    def __init__(self, tick_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Count from now on: the first tick has as much time as every other."""
        self._limit = MOST_TICKS_MISSED * tick_seconds
        self._clock = clock
        self._last = clock()

    def beat(self) -> None:
        """A tick has ended."""
        self._last = self._clock()

    def check(self) -> float:
        """Return how long ago the last tick ended, in seconds.

        Raises:
            TicksStopped: too long ago.
        """
        age = self._clock() - self._last
        if age > self._limit:
            raise TicksStopped(f"the last tick ended {age:.0f} s ago; {self._limit:.0f} s are the limit")
        return age
