"""Waits for a state with a deadline; the only way in which the integration tests wait."""

import time
from collections.abc import Callable

SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 1.0
# Of what it has taken so far. A look may cost connections to three servers, on cores that these servers need.
PAUSE = 0.05


def seconds_until(reached: Callable[[], bool], *, within_seconds: float, what: str) -> float:
    """The seconds that it took until `reached` was true, 5 % too many at most or a tenth of a second.

    An exception in `reached` counts as "not yet": servers that start and stop refuse connections in many ways. The
    last one is the cause of the failure when the time is over.

    Raises:
        AssertionError: `what` wasn't reached within the time.
    """
    started = time.monotonic()
    problem: Exception | None = None
    while (elapsed := time.monotonic() - started) < within_seconds:
        try:
            if reached():
                return elapsed
        except Exception as error:  # noqa: BLE001  # see the docstring
            problem = error
        time.sleep(min(max(PAUSE * elapsed, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS))
    raise AssertionError(f"not within {within_seconds} s: {what}") from problem
