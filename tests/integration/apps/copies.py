"""What Redis remembers of a catalogue: forgotten with its tables, because a new one begins with version 1 again."""

from redis import Redis
from redis.sentinel import Sentinel

from doorbuster.bootstrap.catalogue import PRODUCTS
from doorbuster.infra.cache.sold_out import KEY
from doorbuster.products.redis_ranking import UNITS, VERSIONS
from doorbuster.settings import RedisSettings

ANSWER_SECONDS = 5


def forget_copies(settings: RedisSettings) -> None:
    """Delete copies and floors of products, the sold-out hints, and the ranking."""
    password = settings.password.get_secret_value() or None
    asked = {"password": password, "socket_timeout": ANSWER_SECONDS}
    addresses = [(host, int(port)) for host, _, port in (each.rpartition(":") for each in settings.sentinels)]
    sentinels = Sentinel(addresses, sentinel_kwargs=asked, **asked)  # type: ignore[no-untyped-call]  # it has no types
    client: Redis = sentinels.master_for(settings.primary_name)  # type: ignore[no-untyped-call]  # the same
    try:
        client.delete(KEY, UNITS, VERSIONS, *client.scan_iter(f"{PRODUCTS}:*"))
    finally:
        client.close()
        for each in sentinels.sentinels:
            each.close()
