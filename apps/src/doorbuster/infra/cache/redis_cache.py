"""The shared cache in Redis: three commands, each one round trip for any number of keys."""

from collections.abc import Collection, Mapping, Sequence

from redis.asyncio import Redis

from doorbuster.infra.cache.bounds import FLOOR_SECONDS
from doorbuster.infra.cache.entries import FORMAT, pack
from doorbuster.infra.cache.shared_cache import Filling

# Whatever somebody else has put under our keys is no entry and no floor, and is written over.
_READ = """
local function text(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value or ''
end
local function floor_of(key)
  return tonumber(text(key)) or 0
end
local function version_of(key)
  return tonumber(string.match(text(key), '^FORMAT (%d+) ') or 0)
end
""".replace("FORMAT", FORMAT.decode())

# KEYS: body and floor of each; ARGV: version, entry and milliseconds of each.
_FILL = f"""{_READ}
local taken = {{}}
for each = 1, #KEYS / 2 do
  local body, floor = KEYS[2 * each - 1], KEYS[2 * each]
  local version = tonumber(ARGV[3 * each - 2])
  if version < floor_of(floor) or version < version_of(body) then
    taken[each] = 0
  else
    redis.call('SET', body, ARGV[3 * each - 1], 'PX', ARGV[3 * each])
    taken[each] = 1
  end
end
return taken
"""

# KEYS: body, floor; ARGV: version, the floor's milliseconds, channel, what is said there.
_RAISE = f"""{_READ}
local version = tonumber(ARGV[1])
redis.call('SET', KEYS[2], string.format('%.0f', math.max(version, floor_of(KEYS[2]))), 'PX', ARGV[2])
if version_of(KEYS[1]) < version then
  redis.call('DEL', KEYS[1])
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
"""


class RedisCache:
    """One kind of copies in Redis. Raises RedisError and OSError as they come."""

    def __init__(self, client: Redis, *, kind: str) -> None:
        """Use the client, which stays its owner's.

        Args:
            client: the primary.
            kind: what is copied, in the singular; all keys begin with it.
        """
        self._client = client
        self._kind = kind
        self._fill = client.register_script(_FILL)
        self._raise = client.register_script(_RAISE)

    @property
    def channel(self) -> str:
        """Where changed keys are told."""
        return f"{self._kind}:changed"

    async def find(self, keys: Collection[int]) -> Mapping[int, bytes]:
        """Return what is there, as bytes that may be no entry at all."""
        wanted = list(keys)
        found = await self._client.mget([self._body(key) for key in wanted])
        return {key: raw for key, raw in zip(wanted, found, strict=True) if isinstance(raw, bytes)}

    async def fill(self, fillings: Sequence[Filling]) -> Sequence[bool]:
        """Take copies; return for each, in their order, whether it was taken."""
        keys = [name for each in fillings for name in (self._body(each.key), self._floor(each.key))]
        arguments: list[bytes | int] = []
        for each in fillings:
            arguments += [each.entry.version, pack(each.entry), max(1, round(each.seconds * 1000))]
        taken: Sequence[int] = await self._fill(keys=keys, args=arguments)
        return [bool(each) for each in taken]

    async def raise_floor(self, key: int, version: int) -> None:
        """Take nothing older than this version any more, drop what is there and older, and tell all processes."""
        milliseconds = round(FLOOR_SECONDS * 1000)
        await self._raise(
            keys=[self._body(key), self._floor(key)], args=[version, milliseconds, self.channel, str(key)]
        )

    def _body(self, key: int) -> str:
        return f"{self._kind}:{key}:body"

    def _floor(self, key: int) -> str:
        return f"{self._kind}:{key}:floor"
