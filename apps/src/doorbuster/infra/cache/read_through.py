"""Reads through the caches: process, Redis, database; one flight a key, however many readers wait for it (R6)."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Protocol

from doorbuster.infra.cache.bounds import FLIGHT_SECONDS, NEGATIVE_SECONDS, PROCESS_SECONDS, SHARED_SECONDS, shortened
from doorbuster.infra.cache.byte_cache import ByteCache
from doorbuster.infra.cache.coalesced_cache import CoalescedCache, Filled
from doorbuster.infra.cache.entries import Entry
from doorbuster.infra.cache.shared_cache import Filling
from doorbuster.infra.telemetry import CACHE_DROPS, CACHE_READS
from doorbuster.kernel.errors import Overloaded


class CacheSource(Protocol):
    """Where the truth is."""

    async def usual(self, key: int) -> Entry | None:
        """Return a copy of what a secondary knows; None only if the primary has nothing either (R5)."""
        ...

    async def newest(self, key: int) -> Entry | None:
        """Return a copy of what the primary knows; None if there is nothing."""
        ...


class ReadThrough:
    """Copies of one kind, for one event loop."""

    def __init__(
        self,
        source: CacheSource,
        *,
        process: ByteCache | None,
        shared: CoalescedCache | None,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        """Put the caches in front of a source.

        Args:
            source: is read on a miss.
            process: the nearest level; None switches it off.
            shared: the next level; None switches it off.
            clock: seconds that only grow, the same clock as the process cache's.
            chance: a random number from 0 to 1 at each call.
        """
        self._source = source
        self._process = process
        self._shared = shared
        self._clock = clock
        self._chance = chance
        self._flights: dict[int, asyncio.Task[Entry | None]] = {}
        self._airborne: set[asyncio.Task[Entry | None]] = set()
        near = ("hit", "negative", "miss")
        self._near = {result: CACHE_READS.labels(level="process", result=result) for result in near}
        self._drops = {cause: CACHE_DROPS.labels(cause=cause) for cause in ("changed", "unheard")}
        self._far = {result: CACHE_READS.labels(level="database", result=result) for result in ("hit", "negative")}

    async def find(self, key: int) -> Entry | None:
        """Return the bytes under the key, as old as R6 allows; None if there is nothing.

        Raises:
            Overloaded: too many wait, or the time ran out.
            NotAccepted: the database can't be reached.
        """
        if self._process is not None:
            kept = self._process.get(key)
            if kept is not None:
                self._near["negative" if kept.entry is None else "hit"].inc()
                return kept.entry
            self._near["miss"].inc()
        flight = self._flights.get(key)
        if flight is None:
            flight = self._begin(key)
        # A reader that goes away takes nothing from the others.
        return await asyncio.shield(flight)

    def changed(self, key: int) -> None:
        """Let go what is known of a key, and let nobody join a flight that may have read it before."""
        self._drops["changed"].inc()
        self._flights.pop(key, None)
        if self._process is not None:
            self._process.drop(key)

    def missed(self) -> None:
        """Let everything go: nobody told what has changed for a while."""
        self._drops["unheard"].inc()
        self._flights.clear()
        if self._process is not None:
            self._process.clear()

    async def drain(self) -> None:
        """Return when all flights have landed."""
        while self._airborne:
            await asyncio.wait(self._airborne)

    def _begin(self, key: int) -> asyncio.Task[Entry | None]:
        # An empty context: the flight is everybody's, and must not log with the names of whoever came first.
        flight = asyncio.get_running_loop().create_task(self._fly(key), name=f"read {key}", context=Context())
        self._flights[key] = flight
        self._airborne.add(flight)
        flight.add_done_callback(partial(self._landed, key))
        return flight

    def _landed(self, key: int, flight: asyncio.Task[Entry | None]) -> None:
        self._airborne.discard(flight)
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            # Taken note of, also when every reader has gone.
            flight.exception()

    async def _fly(self, key: int) -> Entry | None:
        began = self._clock()
        drops = self._process.drops if self._process is not None else 0
        try:
            async with asyncio.timeout(FLIGHT_SECONDS):
                entry = await self._read(key, began)
        except TimeoutError as exc:
            raise Overloaded("the time ran out while reading") from exc
        if self._clock() - began > FLIGHT_SECONDS:
            raise Overloaded("the answer came too late to be shown")
        # What was declared old meanwhile may be what was read.
        if self._process is not None and self._process.drops == drops:
            seconds = NEGATIVE_SECONDS if entry is None else PROCESS_SECONDS
            self._process.put(key, entry, until=began + shortened(seconds, self._chance()))
        return entry

    async def _read(self, key: int, began: float) -> Entry | None:
        if self._shared is None:
            return self._counted(await self._source.usual(key))
        copy = await self._shared.find(key)
        if copy is not None:
            return copy
        entry = self._counted(await self._source.usual(key))
        if entry is None or await self._offered(key, entry, began) is not Filled.OUTDATED:
            return entry
        # A secondary that lags behind a write. What the primary knows may be outdated again, by a write that came
        # after this reading: then it isn't kept in Redis, and is still young enough for who waits here.
        newest = self._counted(await self._source.newest(key))
        if newest is not None:
            await self._offered(key, newest, began)
        return newest

    async def _offered(self, key: int, entry: Entry, began: float) -> Filled:
        assert self._shared is not None  # noqa: S101  # who calls this has asked it before
        left = began + shortened(SHARED_SECONDS, self._chance()) - self._clock()
        return await self._shared.fill(Filling(key=key, entry=entry, seconds=left))

    def _counted(self, entry: Entry | None) -> Entry | None:
        self._far["negative" if entry is None else "hit"].inc()
        return entry
