"""Hears which keys have changed, by a subscription of Redis: lossy, so a gap in it is told as well (R6)."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

LISTEN_SECONDS = 1.0
# A greater number is no key.
_MOST_DIGITS = 18
# Between two attempts to listen.
PAUSE_SECONDS = 1.0

log = structlog.get_logger()


async def listen_for_changes(
    client: Redis, channel: str, *, changed: Callable[[int], None], missed: Callable[[], None]
) -> None:
    """Tell every change until cancelled; while Redis is gone, look for it about once a second.

    Args:
        client: stays its owner's.
        channel: where keys are told.
        changed: gets the key.
        missed: called when changes may have gone unheard: at the end of a subscription, and when the next one stands.
    """
    while True:
        subscription = client.pubsub()
        try:
            await subscription.subscribe(channel)
            await _forward(subscription, changed=changed, missed=missed)
        except (RedisError, OSError) as exc:
            log.info("changes_unheard", channel=channel, error=type(exc).__name__)
        finally:
            missed()
            await _close(subscription)
        await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  # jitter needn't surprise anybody


async def _forward(subscription: PubSub, *, changed: Callable[[int], None], missed: Callable[[], None]) -> None:
    while True:
        message = await subscription.get_message(timeout=LISTEN_SECONDS)
        if message is None:
            continue
        key = _key_of(message)
        if key is None:
            missed()
        else:
            changed(key)


def _key_of(message: Mapping[str, Any]) -> int | None:  # as the library types it
    """Return the key that a message tells; None if it tells another thing.

    Such as the server's word that the subscription stands: what was told before that went unheard.
    """
    data = message["data"]
    told = message["type"] == "message" and isinstance(data, bytes) and data.isdigit() and len(data) <= _MOST_DIGITS
    return int(data) if told else None


async def _close(subscription: PubSub) -> None:
    try:
        await subscription.aclose()  # type: ignore[no-untyped-call]  # it has no types
    except (RedisError, OSError) as exc:
        log.debug("subscription_not_closed", error=type(exc).__name__)
