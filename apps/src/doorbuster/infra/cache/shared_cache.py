"""What a cache that several processes share must be able to do; Redis and the tests' fake pass the same tests."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from doorbuster.infra.cache.entries import Entry
from doorbuster.kernel.errors import DoorbusterError


class CacheAway(DoorbusterError):
    """The shared cache doesn't answer, or isn't asked because it didn't; nobody is refused for that (R17)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A copy that is offered.

    Attributes:
        seconds: so long it may stay.
    """

    key: int
    entry: Entry
    seconds: float


class SharedCache(Protocol):
    """Copies by key, each with its version, and version floors below which nothing is taken (R6)."""

    async def find(self, keys: Collection[int]) -> Mapping[int, bytes]:
        """Return what is there, as bytes that may be no entry at all."""
        ...

    async def fill(self, fillings: Sequence[Filling]) -> Sequence[bool]:
        """Take copies; return for each, in their order, False if a floor or a copy is newer, and then it's not taken.

        A copy of the same version is taken: it stays longer.
        """
        ...

    async def raise_floor(self, key: int, version: int) -> None:
        """Take nothing older than this version any more, drop what is there and older, and tell all processes.

        A floor never falls.
        """
        ...
