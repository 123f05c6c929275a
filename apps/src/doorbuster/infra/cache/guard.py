"""Asks Redis within a short time, and for a while not at all when it doesn't answer: slower, never stopped (R17)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.infra.circuits import CircuitOpen, Circuits
from doorbuster.infra.telemetry import CACHE_AWAY
from doorbuster.kernel.breaker import BreakerPolicy

T = TypeVar("T")

# A round trip takes a fraction of a millisecond. What waits longer is better asked of the database.
ANSWER_SECONDS = 0.1
POLICY = BreakerPolicy(failures=5, open_seconds=1.0)

log = structlog.get_logger()


class Guard:
    """A breaker and a time-out around questions to Redis."""

    def __init__(self, circuits: Circuits, name: str, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Begin closed.

        Args:
            circuits: makes its breaker.
            name: of what is asked for, for metrics and logs.
            answer_seconds: so long a question waits.
        """
        self._name = name
        self._answer_seconds = answer_seconds
        self._circuit = circuits.circuit(name, failures=(RedisError, OSError), policy=POLICY)
        self._away = CACHE_AWAY.labels(cache=name)

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer.

        Raises:
            CacheAway: there was none in time, or Redis hasn't answered for a while and wasn't asked.
        """
        try:
            return await self._circuit.call(lambda: self._in_time(question))
        except CircuitOpen as exc:
            self._away.inc()
            raise CacheAway(f"Redis is not asked for {self._name}: it did not answer before") from exc
        except (RedisError, OSError) as exc:
            self._away.inc()
            log.debug("redis_did_not_answer", cache=self._name, error=type(exc).__name__)
            raise CacheAway(f"Redis did not answer for {self._name}") from exc

    async def _in_time(self, question: Callable[[], Awaitable[T]]) -> T:
        async with asyncio.timeout(self._answer_seconds):
            return await question()
