"""Says in Redis what the post-process group has counted, after its commits and beside its work (R11).

Lossy: what doesn't come is brought by the next sale of the product, or by the watch half a minute later.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.newest_sends import NewestSends
from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.ids import ProductId
from doorbuster.products.ports import Ranking
from doorbuster.products.ranking import SoldUnits, best

log = structlog.get_logger()

Send = Callable[[Sequence[SoldUnits]], Awaitable[None]]


class RankingSends:
    """A database after whose commits counts are sent.

    A count of a transaction that was rolled back must never be sent: its version will be given to another count.
    """

    def __init__(self, database: Transactions, send: Send) -> None:
        """Take the database, and what sends counts: it never raises, and takes milliseconds."""
        self._database = database
        self._counted: Sequence[SoldUnits] = ()
        # While Redis is slow no more wait than a ranking has; the others aren't in it anyway.
        self._sends = NewestSends[ProductId, SoldUnits](
            lambda waiting: send(tuple(waiting.values())),
            name="ranking-sends",
            bound=lambda waiting: _by_product(best(waiting.values())),
        )

    def counted(self, counts: Sequence[SoldUnits]) -> None:
        """Take note of what the transaction that is open counts up to."""
        self._counted = counts

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Return a transaction of the database's; what it counted is sent when it is surely committed.

        Only one may be open at a time, as of a consumer's batches.
        """
        self._counted = ()
        async with self._database.transaction() as connection:
            yield connection
        self._committed()

    async def drain(self) -> None:
        """Return when the last count is sent."""
        await self._sends.drain()

    def _committed(self) -> None:
        if self._counted:
            self._sends.add(_by_product(self._counted))


def _by_product(counts: Iterable[SoldUnits]) -> dict[ProductId, SoldUnits]:
    return {count.product_id: count for count in counts}


class RankingSender:
    """Sends counts to Redis, if it answers."""

    def __init__(self, ranking: Ranking, guard: Guard) -> None:
        """Take where the ranking is, and what keeps a dead Redis from costing anything."""
        self._ranking = ranking
        self._guard = guard

    async def send(self, counts: Sequence[SoldUnits]) -> None:
        """Bring the counts into the ranking; never raises because of Redis."""
        try:
            await self._guard.ask(lambda: self._ranking.note(counts))
        except CacheAway as exc:
            log.info("counts_not_sent", products=len(counts), error=str(exc))
