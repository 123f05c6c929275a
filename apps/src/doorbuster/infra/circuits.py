"""Circuit breakers around calls to a server: after some failures in a row nobody waits for it for a while.

The states are the kernel's; here are the clock, the metric and the call. Whoever has an answer without the server takes
CircuitOpen for that answer's moment; nothing that writes orders, points or stock goes through one.
"""

import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

import structlog

from doorbuster.infra.telemetry import BREAKER_OPEN
from doorbuster.kernel.breaker import Breaker, BreakerPolicy, BreakerState

T = TypeVar("T")

log = structlog.get_logger()


class Dependency(StrEnum):
    """What a breaker stands before."""

    REDIS = "redis"
    KAFKA = "kafka"
    PARTNER = "partner"


class CircuitOpen(Exception):  # named for the fact
    """The server was not asked: it failed too often a moment ago."""


def show_breaker(dependency: Dependency, state: BreakerState) -> None:
    """Export whether calls are refused."""
    BREAKER_OPEN.labels(dependency.value).set(state is not BreakerState.CLOSED)


class Circuit:
    """The breaker before one server, for one process and one event loop."""

    def __init__(
        self,
        dependency: Dependency,
        *,
        failures: tuple[type[BaseException], ...],
        policy: BreakerPolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let everything through at first.

        Args:
            dependency: what stands behind it.
            failures: exceptions that count against the server; all others are the caller's.
            policy: when to open, and for how long.
            clock: seconds that only grow.
        """
        self._dependency = dependency
        self._failures = failures
        self._breaker = Breaker(policy=policy)
        self._clock = clock
        show_breaker(dependency, BreakerState.CLOSED)

    @property
    def state(self) -> BreakerState:
        """What would become of a call now."""
        return self._breaker.state(self._clock())

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what the work returns.

        Raises:
            CircuitOpen: it wasn't begun.
        """
        if self._breaker.allowed(self._clock()) == 0:
            raise CircuitOpen(self._dependency.value)
        self._note(self._breaker.begun())
        try:
            result = await work()
        except self._failures:
            self._note(self._breaker.failed(self._clock()))
            raise
        except BaseException:
            # Says nothing about the server, but the one that tries must not stay the one for ever.
            self._note(self._breaker.given_up())
            raise
        self._note(self._breaker.succeeded())
        return result

    def _note(self, breaker: Breaker) -> None:
        changed = breaker.tripped != self._breaker.tripped
        self._breaker = breaker
        if changed:
            show_breaker(self._dependency, self.state)
            log.warning("breaker_opened" if breaker.tripped else "breaker_closed", dependency=self._dependency.value)
