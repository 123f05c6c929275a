"""The sold-out hint (R4): in Redis for two seconds, in a process for 200 milliseconds.

One sorted set of product ids by the moment of their end, so that a process learns all of them with one question. It
may refuse a buyer wrongly for about two seconds, and never accepts anything: stock is decided in MySQL.
"""

from collections.abc import Awaitable, Callable, Collection

from redis.asyncio import Redis

from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.infra.cache.snapshot import Snapshot
from doorbuster.kernel.ids import ProductId

KEY = "sold-out"
HINT_SECONDS = 2.0
SNAPSHOT_SECONDS = 0.2
# More than can sell out in two seconds; the last ones win.
MOST_HINTS = 10_000
# A greater number is no id.
_MOST_DIGITS = 18
# The order of a buyer waits for it.
ANSWER_SECONDS = 0.05

# By Redis' own clock, whoever sets and reads.
_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# ARGV: milliseconds, then products.
_SET = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for each = 2, #ARGV do
  redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[each])
end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
_CURRENT = f"""{_NOW}
return redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. now, 'LIMIT', 0, ARGV[1])
"""


class RedisSoldOut:
    """The hints in Redis. Raises RedisError and OSError as they come."""

    def __init__(self, client: Redis) -> None:
        """Use the client of the primary, which stays its owner's."""
        self._client = client
        self._set = client.register_script(_SET)
        self._current = client.register_script(_CURRENT)

    async def set(self, product_ids: Collection[ProductId]) -> None:
        """Say for two seconds from now that these have no units."""
        if product_ids:
            await self._set(keys=[KEY], args=[round(HINT_SECONDS * 1000), *sorted(product_ids)])

    async def clear(self, product_ids: Collection[ProductId]) -> None:
        """Don't say so any more."""
        if product_ids:
            await self._client.zrem(KEY, *sorted(product_ids))

    async def current(self) -> frozenset[ProductId]:
        """Return the products that have no units, as far as anybody said so."""
        found = await self._current(keys=[KEY], args=[MOST_HINTS])
        return frozenset(ProductId(int(each)) for each in found if each.isdigit() and len(each) <= _MOST_DIGITS)


class SoldOutSnapshot:
    """What a process knows of the hints; asks again when that is 200 ms old and somebody wants to know."""

    def __init__(
        self, ask: Callable[[], Awaitable[Collection[ProductId]]], guard: Guard, clock: Callable[[], float]
    ) -> None:
        """Take who is asked, and the clock of the 200 ms."""
        self._ask = ask
        self._guard = guard
        self._known = Snapshot(self._look, name="sold-out", kept_seconds=SNAPSHOT_SECONDS, clock=clock)

    async def products(self) -> frozenset[ProductId]:
        """Return the products that have no units; none where Redis doesn't say. Never raises because of Redis."""
        return await self._known.value()

    async def drain(self) -> None:
        """Return when a question that is under way is answered."""
        await self._known.drain()

    async def _look(self) -> frozenset[ProductId]:
        try:
            return frozenset(await self._guard.ask(self._ask))
        except CacheAway:
            return frozenset()
