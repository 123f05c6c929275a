"""A client for tests of what Redis answers, not of how soon: the machine may be busy with other tests."""

from redis.asyncio import Redis

from doorbuster.infra.redis import connect
from doorbuster.settings import RedisSettings

PATIENCE_SECONDS = 10.0


def patient(settings: RedisSettings) -> Redis:
    """Return a client that waits for answers as long as tests do."""
    return connect(settings, answer_seconds=PATIENCE_SECONDS)
