"""Circuit breakers around calls to a server: after some failures in a row nobody waits for it for a while.

The states are the kernel's; here are the clock, the metric and the call. Whoever has an answer without the server takes
CircuitOpen for that answer's moment; nothing that writes orders, points or stock goes through one.

Who asks one server for several purposes has a breaker for each, because they wait for different times: one that gives
up after 50 ms must not stop another that has 300. Shown is one state a server, the worst of them.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import Protocol, TypeVar

import structlog

from doorbuster.infra.telemetry import BREAKER_OPEN
from doorbuster.kernel.breaker import Breaker, BreakerPolicy, BreakerState

T = TypeVar("T")

_WORSE = (BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN)

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


class Circuits:
    """The breakers before one server, for one process and one event loop."""

    def __init__(self, dependency: Dependency, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Have no breaker yet.

        Args:
            dependency: what stands behind them.
            clock: seconds that only grow.
        """
        self._dependency = dependency
        self._clock = clock
        self._circuits: list[Circuit] = []
        show_breaker(dependency, BreakerState.CLOSED)

    @property
    def state(self) -> BreakerState:
        """What the worst of them would do with a call now."""
        return worst(circuit.state for circuit in self._circuits)

    def circuit(self, purpose: str, *, failures: tuple[type[BaseException], ...], policy: BreakerPolicy) -> "Circuit":
        """Return a new breaker, which lets everything through at first.

        Args:
            purpose: what the server is asked for, for the log.
            failures: exceptions that count against the server; all others are the caller's.
            policy: when to open, and for how long.
        """
        new = Circuit(failures=failures, policy=policy, clock=self._clock, turned=partial(self._turned, purpose))
        self._circuits.append(new)
        return new

    def _turned(self, purpose: str, *, opened: bool) -> None:
        show_breaker(self._dependency, self.state)
        event = "breaker_opened" if opened else "breaker_closed"
        log.warning(event, dependency=self._dependency.value, purpose=purpose)


class Turned(Protocol):
    """Is told that a breaker has opened, or closed again."""

    def __call__(self, *, opened: bool) -> None:
        """Take note of it."""
        ...


class Circuit:
    """One breaker; `Circuits` makes it."""

    def __init__(
        self,
        *,
        failures: tuple[type[BaseException], ...],
        policy: BreakerPolicy,
        clock: Callable[[], float],
        turned: Turned,
    ) -> None:
        self._failures = failures
        self._breaker = Breaker(policy=policy)
        self._clock = clock
        self._turned = turned

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
            raise CircuitOpen("it failed too often a moment ago")
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
            self._turned(opened=breaker.tripped)


def worst(states: Iterable[BreakerState]) -> BreakerState:
    """Return the state that refuses most; CLOSED where there is none."""
    return max(states, key=_WORSE.index, default=BreakerState.CLOSED)
