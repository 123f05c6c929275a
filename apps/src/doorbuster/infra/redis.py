"""Clients of Redis: short time-outs, no silent retries, and the lossy wake-up of the relay (R9).

Redis gone means slower, never wrong and never stopped (R17): nothing here waits for long, and `Wakeups` never raises.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from doorbuster.infra.circuits import CircuitOpen, Circuits
from doorbuster.kernel.breaker import BreakerPolicy
from doorbuster.settings import RedisSettings

CHANNEL = "outbox"
ANSWER_SECONDS = 0.25
MOST_CONNECTIONS = 16
# Longest time that a wake-up may cost whoever sends it.
WAKEUP_SECONDS = 0.05
# After a failure nobody pays for so long.
PAUSE_SECONDS = 1.0
# One failure is enough: the relay polls anyway.
WAKEUP_POLICY = BreakerPolicy(failures=1, open_seconds=PAUSE_SECONDS)
# How often a subscription that hears nothing is proved alive.
HEALTH_SECONDS = 2
LISTEN_SECONDS = 1.0

log = structlog.get_logger()


def connect(settings: RedisSettings, *, answer_seconds: float = ANSWER_SECONDS) -> Redis:
    """Return a client of the primary; it connects when it's used, and finds a new primary when there is one.

    Commands raise RedisError or OSError within a fraction of a second when Redis is gone.

    Args:
        settings: where Redis is.
        answer_seconds: longest wait for each answer, that of a Sentinel and of the primary.
    """
    password = settings.password.get_secret_value() or None
    connection: dict[str, Any] = {
        "password": password,
        "socket_timeout": answer_seconds,
        "socket_connect_timeout": answer_seconds,
        "health_check_interval": HEALTH_SECONDS,
        # The library's own habit is to try a dead server for ten seconds and more.
        "retry": Retry(NoBackoff(), 0),
        "max_connections": MOST_CONNECTIONS,
    }
    if not settings.sentinels:
        host, port = _address(settings.address)
        return Redis(host=host, port=port, **connection)
    asked = {name: connection[name] for name in ("password", "socket_timeout", "socket_connect_timeout", "retry")}
    addresses = [_address(each) for each in settings.sentinels]
    sentinel = Sentinel(addresses, sentinel_kwargs=asked, **connection)  # type: ignore[no-untyped-call]  # it has no types
    client: Redis = sentinel.master_for(settings.primary_name, connection_pool_class=_PoolWithSentinels)
    return client


class _PoolWithSentinels(SentinelConnectionPool):
    """Connections to the primary; closing them closes those to the Sentinels too, which the library leaves open."""

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002  # the library's signature
        await super().disconnect(inuse_connections)
        if inuse_connections:
            await asyncio.gather(*(each.aclose() for each in self.sentinel_manager.sentinels), return_exceptions=True)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


class Wakeups:
    """Tells the relay that messages wait. Lossy: the relay polls as well."""

    def __init__(self, client: Redis, circuits: Circuits) -> None:
        """Use the client, which stays its owner's.

        Args:
            client: the primary.
            circuits: makes the breaker before it.
        """
        self._client = client
        self._circuit = circuits.circuit("wake-up", failures=(RedisError, OSError), policy=WAKEUP_POLICY)

    async def publish_wakeup(self) -> None:
        """Wake the relay; never raises because of Redis, and never takes longer than WAKEUP_SECONDS."""
        try:
            await self._circuit.call(self._publish)
        except CircuitOpen:
            return
        except (RedisError, OSError) as exc:
            log.info("wakeup_not_sent", error=type(exc).__name__)

    async def _publish(self) -> None:
        async with asyncio.timeout(WAKEUP_SECONDS):
            await self._client.publish(CHANNEL, b"")


async def listen_for_wakeups(client: Redis, wake: Callable[[], None]) -> None:
    """Call `wake` for every wake-up until cancelled; while Redis is gone, look for it about once a second."""
    while True:
        subscription = client.pubsub(ignore_subscribe_messages=True)
        try:
            await subscription.subscribe(CHANNEL)
            await _forward(subscription, wake)
        except (RedisError, OSError) as exc:
            log.info("wakeups_unheard", error=type(exc).__name__)
        finally:
            await _close(subscription)
        await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  # jitter needn't surprise anybody


async def _forward(subscription: PubSub, wake: Callable[[], None]) -> None:
    # One wake-up that may be nobody's: what was stored while nobody listened.
    wake()
    while True:
        if await subscription.get_message(timeout=LISTEN_SECONDS) is not None:
            wake()


async def _close(subscription: PubSub) -> None:
    try:
        await subscription.aclose()  # type: ignore[no-untyped-call]  # it has no types
    except (RedisError, OSError) as exc:
        log.debug("subscription_not_closed", error=type(exc).__name__)
