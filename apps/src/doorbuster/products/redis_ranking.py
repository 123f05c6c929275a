"""The ranking in Redis: a sorted set by units and a hash of versions, both with at most 1,000 products (R11).

Only `renew` makes a ranking. Into a Redis that lost it, the next sales would otherwise bring a few products and pass
them off as the best; so nothing is known until the best are brought from MySQL. Five minutes later it goes away and is
made anew, whoever wrote what into it: else it would be wrong for ever after MySQL was restored to older versions.
"""

from collections.abc import Iterable, Sequence
from typing import cast

from redis.asyncio import Redis

from doorbuster.kernel.ids import ProductId
from doorbuster.products.ranking import MOST_RANKED, BestSeller, SoldUnits, best

# One hash tag: a script may only touch keys of one slot.
UNITS, VERSIONS = "{ranking}:units", "{ranking}:versions"
KEPT_SECONDS = 300.0
# Equal units are ordered by the bytes of the name: with leading zeros that is by the number.
_DIGITS = 19

# KEYS: units, versions. ARGV: most products, for how many milliseconds a ranking is kept that is made now (0: none is
# made), then for each product: name, units, version. The same version again is the same count again.
_SET = """
local units, versions = KEYS[1], KEYS[2]
local missing = redis.call('EXISTS', units) == 0
if missing then
  if ARGV[2] == '0' then return 0 end
  redis.call('DEL', versions)
end
for at = 3, #ARGV, 3 do
  local product, version = ARGV[at], ARGV[at + 2]
  if tonumber(redis.call('HGET', versions, product) or -1) <= tonumber(version) then
    redis.call('ZADD', units, ARGV[at + 1], product)
    redis.call('HSET', versions, product, version)
  end
end
local surplus = redis.call('ZCARD', units) - tonumber(ARGV[1])
if surplus > 0 then
  local trimmed = redis.call('ZPOPMIN', units, surplus)
  for at = 1, #trimmed, 2 do redis.call('HDEL', versions, trimmed[at]) end
end
if missing then
  redis.call('PEXPIRE', units, ARGV[2])
  redis.call('PEXPIRE', versions, ARGV[2])
end
return 1
"""


class RedisRanking:
    """The ranking in Redis. Raises RedisError and OSError as they come."""

    def __init__(self, client: Redis) -> None:
        """Use the client of the primary, which stays its owner's."""
        self._client = client
        self._set = client.register_script(_SET)

    async def note(self, counts: Sequence[SoldUnits]) -> None:
        """Bring counts into the ranking, unless there is none or it knows newer ones."""
        await self._bring(counts, kept_seconds=0.0)

    async def renew(self, counts: Sequence[SoldUnits]) -> None:
        """Bring the best counts; if there is no ranking, it is made, and goes away after five minutes."""
        await self._bring(counts, kept_seconds=KEPT_SECONDS)

    async def best(self, limit: int) -> Sequence[BestSeller]:
        """Return at most `limit` products, most units first; nothing if there is no ranking."""
        answer = await self._client.zrange(UNITS, 0, limit - 1, desc=True, withscores=True)
        # Its type is that of all forms of this command.
        found = cast("Iterable[tuple[bytes, float]]", answer)
        return [
            BestSeller(product_id=ProductId(int(name)), units=int(score)) for name, score in found if _ours(name, score)
        ]

    async def _bring(self, counts: Sequence[SoldUnits], *, kept_seconds: float) -> None:
        words = [word for count in best(counts) for word in (_name(count.product_id), count.units, count.version)]
        if words:
            await self._set(keys=[UNITS, VERSIONS], args=[MOST_RANKED, round(kept_seconds * 1000), *words])


def _name(product_id: ProductId) -> str:
    return f"{product_id:0{_DIGITS}d}"


def _ours(name: bytes, score: float) -> bool:
    """Tell whether this is what we write: anything else is left out (R6)."""
    return len(name) == _DIGITS and name.isdigit() and score.is_integer()
