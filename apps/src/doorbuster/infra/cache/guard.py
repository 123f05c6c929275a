"""Asks Redis within a short time, and for a while not at all when it doesn't answer: slower, never stopped (R17)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.infra.telemetry import CACHE_AWAY
from doorbuster.kernel.breaker import Breaker, BreakerPolicy

T = TypeVar("T")

# A round trip takes a fraction of a millisecond. What waits longer is better asked of the database.
ANSWER_SECONDS = 0.1
POLICY = BreakerPolicy(failures=5, open_seconds=1.0)

log = structlog.get_logger()


class Guard:
    """A circuit breaker around questions to Redis."""

    def __init__(self, name: str, clock: Callable[[], float], *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Begin closed.

        Args:
            name: of what is asked for, for metrics and logs.
            clock: seconds that only grow.
            answer_seconds: so long a question waits.
        """
        self._name = name
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._breaker = Breaker(policy=POLICY)
        self._away = CACHE_AWAY.labels(cache=name)

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer.

        Raises:
            CacheAway: there was none in time, or Redis hasn't answered for a while and wasn't asked.
        """
        if self._breaker.allowed(self._clock()) == 0:
            self._away.inc()
            raise CacheAway(f"Redis is not asked for {self._name}: it did not answer before")
        self._breaker = self._breaker.begun()
        try:
            async with asyncio.timeout(self._answer_seconds):
                answer = await question()
        except (RedisError, OSError, TimeoutError) as exc:
            self._failed(exc)
            raise CacheAway(f"Redis did not answer for {self._name}") from exc
        except BaseException:
            # Cancelled: nobody knows how Redis is, and whoever tries for all others must not be awaited for ever.
            self._breaker = self._breaker.failed(self._clock())
            raise
        self._breaker = self._breaker.succeeded()
        return answer

    def _failed(self, exc: Exception) -> None:
        before, self._breaker = self._breaker, self._breaker.failed(self._clock())
        self._away.inc()
        if self._breaker.tripped and not before.tripped:
            log.warning("cache_away", cache=self._name, error=type(exc).__name__)
