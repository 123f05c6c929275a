"""Values that somebody waits to see changed: one read for all of them, again and again (R5)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Generic, TypeVar

import structlog

from doorbuster.kernel.errors import DoorbusterError, Overloaded

EVERY_SECONDS = 0.25
MOST_WATCHES = 1_000

K = TypeVar("K")
V = TypeVar("V")

log = structlog.get_logger()


class TooManyWatches(Overloaded):
    """As many wait already as one process reads for; looking by oneself still works."""


class Watched(Generic[V]):
    """One value as one watcher sees it. It keeps the newest only, however slow the watcher is."""

    def __init__(self, seen: V) -> None:
        """Begin with what the watcher knows already."""
        self._newest = seen
        self._seen = seen
        self._wake = asyncio.Event()
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether nobody reads it any more, because the process ends."""
        return self._ended

    async def changed(self, *, at_most_seconds: float) -> V | None:
        """Return the newest value as soon as it isn't the one that was seen last; None when the time is over.

        Returns None at once when it has ended.
        """
        try:
            async with asyncio.timeout(at_most_seconds):
                while self._newest == self._seen and not self._ended:
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            return None
        if self._newest == self._seen:
            return None
        self._seen = self._newest
        return self._newest

    def offer(self, value: V) -> None:
        """Note the newest value; an older one that nobody took is forgotten."""
        if value != self._newest:
            self._newest = value
            self._wake.set()

    def end(self) -> None:
        """Tell the watcher that nothing comes any more."""
        self._ended = True
        self._wake.set()


class WatchedReads(Generic[K, V]):
    """All watched values of a process."""

    def __init__(
        self,
        find: Callable[[Collection[K]], Awaitable[Mapping[K, V]]],
        *,
        most_watches: int = MOST_WATCHES,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        """Read nothing yet.

        Args:
            find: returns what exists of the keys, by one query; it bounds its own time.
            most_watches: so many may wait at once.
            every_seconds: the pause between two reads; without watchers nothing is read.
        """
        self._find = find
        self._most_watches = most_watches
        self._every_seconds = every_seconds
        self._watches: dict[K, set[Watched[V]]] = {}
        self._open = 0
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, key: K, seen: V) -> Iterator[Watched[V]]:
        """Give a watch over the value of a key, while the context lasts.

        Args:
            key: what is read.
            seen: its value as the watcher knows it.

        Raises:
            TooManyWatches: too many watch already.
            Overloaded: the process ends.
        """
        if self._ending:
            raise Overloaded("this process is ending")
        if self._open >= self._most_watches:
            raise TooManyWatches(f"{self._most_watches} wait already")
        watched = Watched(seen)
        self._watches.setdefault(key, set()).add(watched)
        self._open += 1
        try:
            yield watched
        finally:
            self._open -= 1
            self._watches[key].remove(watched)
            if not self._watches[key]:
                del self._watches[key]

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._read_again_and_again(), name="watched-reads")

    def end(self) -> None:
        """End all watches, and refuse new ones."""
        self._ending = True
        for watches in self._watches.values():
            for watched in watches:
                watched.end()

    async def close(self) -> None:
        """End all watches, and the reads."""
        self.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Read all watched values once, and show each watcher the one of its key."""
        if not self._watches:
            return
        # Who comes during the read may know a newer value than it finds.
        asked = {key: tuple(watches) for key, watches in self._watches.items()}
        found = await self._find(frozenset(asked))
        for key, value in found.items():
            for watched in asked.get(key, ()):
                watched.offer(value)

    async def _read_again_and_again(self) -> None:
        readable = True
        while True:
            await asyncio.sleep(self._every_seconds)
            try:
                await self.look()
            except DoorbusterError as exc:
                # Whoever waits goes on waiting: the next read tells what has changed meanwhile.
                if readable:
                    log.warning("watched_values_unread", cause=type(exc).__name__)
                readable = False
            except Exception:
                log.exception("watched_values_unread")
                readable = False
            else:
                readable = True
