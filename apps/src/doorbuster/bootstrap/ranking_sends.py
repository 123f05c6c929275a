"""Says in Redis what the post-process group has counted, after its commits and beside its work (R11).

Lossy: what doesn't come is brought by the next sale of the product, or by the watch half a minute later.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.ids import ProductId
from doorbuster.products.ports import Ranking
from doorbuster.products.ranking import SoldUnits, best

log = structlog.get_logger()

Send = Callable[[Sequence[SoldUnits]], Awaitable[None]]


class RankingSends:
    """A database after whose commits counts are sent: one send at a time, what waits meanwhile goes together.

    A count of a transaction that was rolled back must never be sent: its version will be given to another count.
    """

    def __init__(self, database: Transactions, send: Send) -> None:
        """Take the database, and what sends counts: it never raises, and takes milliseconds."""
        self._database = database
        self._send = send
        self._counted: Sequence[SoldUnits] = ()
        self._waiting: dict[ProductId, SoldUnits] = {}
        self._sending: asyncio.Task[None] | None = None

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
        if self._sending is not None:
            await self._sending

    def _committed(self) -> None:
        if not self._counted:
            return
        newest = self._waiting | {count.product_id: count for count in self._counted}
        # While Redis is slow; the others aren't in the ranking anyway.
        self._waiting = {count.product_id: count for count in best(newest.values())}
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_waiting(), name="ranking-sends")

    async def _send_waiting(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            await self._send(tuple(waiting.values()))


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
