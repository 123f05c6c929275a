"""Questions to the shared cache that wait at the same moment become one, and none of them ever fails (R17)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum

from doorbuster.infra.batches.coalesced_reads import ANYBODY, CoalescedReads
from doorbuster.infra.batches.coalescer import Coalescer, Limits
from doorbuster.infra.cache.bounds import FLIGHT_SECONDS
from doorbuster.infra.cache.entries import Entry, Undecodable, unpack
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.shared_cache import CacheAway, Filling, SharedCache
from doorbuster.infra.telemetry import CACHE_FILLS, CACHE_READS
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown

_MOST_WAITING = 2_000
# A script of a hundred entries holds Redis for a fraction of a millisecond; two at once need two connections.
LIMITS = Limits(max_items=100, max_waiting=_MOST_WAITING, per_user=_MOST_WAITING, in_flight=2)


class Filled(StrEnum):
    """What became of a copy that was offered."""

    TAKEN = "taken"
    OUTDATED = "outdated"
    """A floor or a copy is newer."""
    AWAY = "away"
    """Nobody knows."""


class CoalescedCache:
    """A shared cache that may be gone."""

    def __init__(
        self, cache: SharedCache, guard: Guard, *, kind: str, is_body_of: Callable[[int, bytes], bool]
    ) -> None:
        """Put coalescers in front of a cache.

        Args:
            cache: is asked.
            guard: around each question.
            kind: what is copied, for metrics.
            is_body_of: tells whether bytes are what this release would serve under a key.
        """
        self._cache = cache
        self._guard = guard
        self._is_body_of = is_body_of
        self._found: CoalescedReads[int, bytes] = CoalescedReads(
            self._find, name=f"{kind}-cache-find", limits=LIMITS, deadline_seconds=FLIGHT_SECONDS
        )
        self._fills: Coalescer[Filling, Filled] = Coalescer(
            self._fill, name=f"{kind}-cache-fill", limits=LIMITS, size_of=lambda filling: len(filling.entry.body)
        )
        self._read = {
            result: CACHE_READS.labels(level="redis", result=result) for result in ("hit", "miss", "undecodable")
        }
        self._filled = {filled: CACHE_FILLS.labels(result=filled) for filled in Filled}

    async def find(self, key: int) -> Entry | None:
        """Return the copy; None if there is none that can be read, or nobody can tell."""
        try:
            raw = await self._found.find(key)
        except NotAccepted:
            raw = None
        if raw is None:
            self._read["miss"].inc()
            return None
        entry = self._readable(key, raw)
        self._read["undecodable" if entry is None else "hit"].inc()
        return entry

    async def fill(self, filling: Filling) -> Filled:
        """Offer a copy; return what became of it."""
        try:
            filled = await self._fills.submit(filling, user=ANYBODY, deadline_seconds=FLIGHT_SECONDS)
        except (NotAccepted, OutcomeUnknown):
            filled = Filled.AWAY
        self._filled[filled].inc()
        return filled

    async def drain(self) -> None:
        """Refuse new questions, and return when those that wait are answered."""
        await self._found.drain()
        await self._fills.drain()

    def _readable(self, key: int, raw: bytes) -> Entry | None:
        try:
            entry = unpack(raw)
        except Undecodable:
            return None
        return entry if self._is_body_of(key, entry.body) else None

    async def _find(self, keys: Collection[int]) -> Mapping[int, bytes]:
        try:
            return await self._guard.ask(lambda: self._cache.find(keys))
        except CacheAway:
            return {}

    async def _fill(self, fillings: Sequence[Filling]) -> Sequence[Filled]:
        try:
            taken = await self._guard.ask(lambda: self._cache.fill(fillings))
        except CacheAway:
            return [Filled.AWAY] * len(fillings)
        return [Filled.TAKEN if each else Filled.OUTDATED for each in taken]
