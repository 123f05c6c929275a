"""Puts the API's ranking together: from Redis, else from MySQL, one question a process and second (R11, R17)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from doorbuster.infra.cache.bounds import FLIGHT_SECONDS
from doorbuster.infra.cache.entries import Entry
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.infra.cache.snapshot import Snapshot
from doorbuster.kernel.errors import Overloaded
from doorbuster.kernel.ids import ProductId
from doorbuster.products.documents import name_and_price
from doorbuster.products.ranking import BestSeller, RankedProduct, SoldUnits
from doorbuster.products.service import LONGEST_PAGE

SNAPSHOT_SECONDS = 1.0

_Sellers: TypeAlias = Callable[[int], Awaitable[Sequence[BestSeller]]]
_Counts: TypeAlias = Callable[[int], Awaitable[Sequence[SoldUnits]]]


class RankingSnapshot:
    """What a process knows of the ranking; asks again when that is a second old and somebody wants to know."""

    def __init__(self, shared: _Sellers, guard: Guard, *, stored: _Counts, clock: Callable[[], float]) -> None:
        """Take who is asked.

        Args:
            shared: the ranking in Redis.
            guard: around each question to it.
            stored: the counts in MySQL; asked where the other doesn't answer, or knows nothing.
            clock: seconds that only grow.
        """
        self._shared = shared
        self._guard = guard
        self._stored = stored
        self._known = Snapshot(self._look, name="ranking", kept_seconds=SNAPSHOT_SECONDS, clock=clock)

    async def best(self) -> Sequence[BestSeller]:
        """Return the hundred best, the first one first.

        Raises:
            NotAccepted: neither Redis nor MySQL has answered, or not in time.
        """
        return await self._known.value()

    async def drain(self) -> None:
        """Return when a question that is under way is answered."""
        await self._known.drain()

    async def _look(self) -> Sequence[BestSeller]:
        try:
            async with asyncio.timeout(FLIGHT_SECONDS):
                return await self._ask_shared() or await self._ask_stored()
        except TimeoutError as exc:
            raise Overloaded("the time ran out while reading the ranking") from exc

    async def _ask_shared(self) -> Sequence[BestSeller]:
        try:
            return await self._guard.ask(lambda: self._shared(LONGEST_PAGE))
        except CacheAway:
            return ()

    async def _ask_stored(self) -> Sequence[BestSeller]:
        counts = await self._stored(LONGEST_PAGE)
        return [BestSeller(product_id=count.product_id, units=count.units) for count in counts]


class RankedProducts:
    """The ranking with what the catalogue says of each product."""

    def __init__(self, snapshot: RankingSnapshot, find: Callable[[ProductId], Awaitable[Entry | None]]) -> None:
        """Take the ranking, and what reads a product through the caches: many at once become one question there."""
        self._snapshot = snapshot
        self._find = find

    async def best(self, limit: int) -> Sequence[RankedProduct]:
        """Return at most `limit` products, and at most 100, the first one first.

        Names and prices are as new as those of the products themselves (R6), so they aren't kept with the ranking.

        Raises:
            NotAccepted: the ranking or its products can't be read now.
        """
        sellers = (await self._snapshot.best())[:limit]
        entries = await asyncio.gather(*(self._find(seller.product_id) for seller in sellers))
        known = [(seller, entry) for seller, entry in zip(sellers, entries, strict=True) if entry is not None]
        return [_ranked(rank, seller, entry) for rank, (seller, entry) in enumerate(known, 1)]

    async def drain(self) -> None:
        """Return when a question that is under way is answered."""
        await self._snapshot.drain()


def _ranked(rank: int, seller: BestSeller, entry: Entry) -> RankedProduct:
    name, price = name_and_price(entry.body)
    return RankedProduct(rank=rank, product_id=seller.product_id, name=name, price=price, units=seller.units)
