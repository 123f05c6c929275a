"""A circuit breaker: after some failures in a row it refuses for a while, then lets one call try. Pure; time comes in.

It keeps a slow or dead partner from holding all senders in their time-outs.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class BreakerState(StrEnum):
    """What a breaker does with a call."""

    CLOSED = "closed"
    """Lets it through."""
    HALF_OPEN = "half-open"
    """Lets one through to try, and refuses the others."""
    OPEN = "open"
    """Refuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When to open, and for how long.

    Attributes:
        failures: so many in a row open the breaker.
        open_seconds: so long no call is let through; afterwards one is, and its outcome decides.
    """

    failures: int = 5
    open_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The breaker's state; each method returns the next one.

    Attributes:
        failures: failures in a row so far.
        closed_from: the time in seconds from which calls are let through again; 0 when it never opened.
        probing: one call is trying, all others wait for its outcome.
    """

    policy: BreakerPolicy
    failures: int = 0
    closed_from: float = 0.0
    probing: bool = False

    @property
    def tripped(self) -> bool:
        """Whether it has opened and no call has succeeded since."""
        return self.failures >= self.policy.failures

    def allowed(self, now: float) -> int | None:
        """Return how many calls may begin now; None means any number."""
        if not self.tripped:
            return None
        return 0 if self.probing or now < self.closed_from else 1

    def state(self, now: float) -> BreakerState:
        """Return what the breaker does with calls now."""
        if not self.tripped:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.closed_from else BreakerState.HALF_OPEN

    def begun(self) -> "Breaker":
        """Note that a call begins; behind an open breaker it is the one that tries."""
        return replace(self, probing=self.tripped)

    def succeeded(self) -> "Breaker":
        """Note a success: the breaker closes."""
        return Breaker(policy=self.policy)

    def failed(self, now: float) -> "Breaker":
        """Note a failure: enough of them in a row open the breaker, or keep it open."""
        failures = self.failures + 1
        opens = failures >= self.policy.failures
        closed_from = now + self.policy.open_seconds if opens else self.closed_from
        return replace(self, failures=failures, closed_from=closed_from, probing=False)

    def given_up(self) -> "Breaker":
        """Note that a call ended without saying anything about the other side: another one may try."""
        return replace(self, probing=False)
