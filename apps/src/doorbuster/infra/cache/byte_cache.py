"""A bounded cache of bytes in the process: least recently used leaves first, and every entry has its own end.

An ordered dictionary and two sums. The well-known libraries bound entries or bytes, not both, and have one life span
for all entries; here a life begins with the reading and not with the keeping. Bytes and not objects, so that the
garbage collector has nothing to walk through.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from doorbuster.infra.cache.entries import Entry
from doorbuster.infra.telemetry import CACHE_BYTES, CACHE_ENTRIES

MOST_ENTRIES = 20_000
# Of the 256 MiB that a process may have; with what Python needs for each entry.
MOST_BYTES = 16 * 1024 * 1024
# Dictionary slot, link, key and entry; measured with CPython 3.11 on 64 bits, rounded up.
OVERHEAD_BYTES = 350


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of a key.

    Attributes:
        entry: None says that there is nothing under the key.
        until: when it ends, by the cache's clock.
    """

    entry: Entry | None
    until: float


class ByteCache:
    """Entries by key, for one event loop."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Begin empty.

        Args:
            clock: seconds that only grow.
            most_entries: it never holds more.
            most_bytes: their bodies and overhead are never more.
        """
        self._clock = clock
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._bytes = 0
        self.drops = 0
        """How often something was declared old; what was read before the last time may be old as well."""

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """Bytes of all bodies and their overhead."""
        return self._bytes

    def get(self, key: int) -> Kept | None:
        """Return what is kept of the key and hasn't ended; None if there is no such thing."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if self._clock() >= kept.until:
            self._remove(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def put(self, key: int, entry: Entry | None, *, until: float) -> None:
        """Keep an entry, or that there is none, and let others go for it where there is no room."""
        self._remove(key)
        kept = Kept(entry=entry, until=until)
        if until <= self._clock() or _size(kept) > self._most_bytes:
            return
        self._kept[key] = kept
        self._bytes += _size(kept)
        while len(self._kept) > self._most_entries or self._bytes > self._most_bytes:
            self._remove(next(iter(self._kept)))
        self._measure()

    def drop(self, key: int) -> None:
        """Let a key go that has changed."""
        self.drops += 1
        self._remove(key)
        self._measure()

    def clear(self) -> None:
        """Let everything go: changes may have been missed."""
        self.drops += 1
        self._kept.clear()
        self._bytes = 0
        self._measure()

    def _remove(self, key: int) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= _size(kept)

    def _measure(self) -> None:
        CACHE_ENTRIES.set(len(self._kept))
        CACHE_BYTES.set(self._bytes)


def _size(kept: Kept) -> int:
    return OVERHEAD_BYTES + (len(kept.entry.body) if kept.entry is not None else 0)
