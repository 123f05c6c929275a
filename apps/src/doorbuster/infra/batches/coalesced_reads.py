"""Reads that wait for the same connection become one (R5)."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Generic, TypeVar

from doorbuster.infra.batches.coalescer import Coalescer, Limits
from doorbuster.kernel.errors import OutcomeUnknown, Overloaded

K = TypeVar("K")
V = TypeVar("V")

# Somebody who isn't a user: catalogue reads are everybody's.
ANYBODY = 0
_MOST_WAITING = 2_000
OWN_READS = Limits(max_waiting=_MOST_WAITING, per_user=8, in_flight=2)
PUBLIC_READS = Limits(max_waiting=_MOST_WAITING, per_user=_MOST_WAITING, in_flight=2)


class CoalescedReads(Generic[K, V]):
    """Reads by key; equal keys of one batch are read once."""

    def __init__(
        self,
        find: Callable[[Collection[K]], Awaitable[Mapping[K, V]]],
        *,
        name: str,
        limits: Limits,
        deadline_seconds: float,
    ) -> None:
        """Put a coalescer in front of `find`.

        Args:
            find: returns what exists of the keys, by one query.
            name: of the use case, for metrics.
            limits: the coalescer's bounds.
            deadline_seconds: so long a read waits.
        """
        self._find = find
        self._deadline_seconds = deadline_seconds
        self._coalescer: Coalescer[K, V | None] = Coalescer(self._read, name=name, limits=limits)

    async def find(self, key: K, *, user: int = ANYBODY) -> V | None:
        """Return what is under the key, or None if there is nothing.

        Raises:
            Overloaded: too many wait, or the time ran out.
            NotAccepted: the database can't be reached.
        """
        try:
            return await self._coalescer.submit(key, user=user, deadline_seconds=self._deadline_seconds)
        except OutcomeUnknown as exc:
            # A read has no outcome that could stay unknown.
            raise Overloaded("the time ran out while reading") from exc

    async def drain(self) -> None:
        """Refuse new reads, and return when those that wait are done."""
        await self._coalescer.drain()

    async def _read(self, keys: Sequence[K]) -> Sequence[V | None]:
        found = await self._find(frozenset(keys))
        return [found.get(key) for key in keys]
