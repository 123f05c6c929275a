"""Says in Redis what the stock group left without units, after its commits and beside its work (R4).

Lossy: a hint that doesn't come costs a saga that fails; one that comes late costs a wrong refusal for two seconds.
"""

from collections.abc import Awaitable, Callable, Mapping

import structlog

from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.newest_sends import NewestSends
from doorbuster.infra.cache.shared_cache import CacheAway
from doorbuster.infra.cache.sold_out import RedisSoldOut
from doorbuster.kernel.ids import ProductId
from doorbuster.products.sold_out import StockLevels

log = structlog.get_logger()


class SoldOutHints:
    """Sends hints one batch's after the other; what a later batch says of a product takes the place of the earlier."""

    def __init__(self, send: Callable[[StockLevels], Awaitable[None]]) -> None:
        """Take what sends hints: it never raises, and takes milliseconds."""
        self._decided: StockLevels | None = None
        self._sends = NewestSends[ProductId, bool](lambda waiting: send(_levels(waiting)), name="sold-out-hints")

    def decided(self, levels: StockLevels) -> None:
        """Take note of what a batch comes to, if it is committed: only the last attempt's counts."""
        self._decided = levels

    def committed(self) -> None:
        """Have the hints of the batch sent that was decided last; returns at once."""
        levels, self._decided = self._decided, None
        if levels is None or not (levels.sold_out or levels.back):
            return
        self._sends.add(dict.fromkeys(levels.sold_out, True) | dict.fromkeys(levels.back, False))

    async def drain(self) -> None:
        """Return when the last hint is sent."""
        await self._sends.drain()


def _levels(waiting: Mapping[ProductId, bool]) -> StockLevels:
    return StockLevels(
        sold_out=frozenset(product_id for product_id, sold_out in waiting.items() if sold_out),
        back=frozenset(product_id for product_id, sold_out in waiting.items() if not sold_out),
    )


class HintSender:
    """Sends hints to Redis, if it answers."""

    def __init__(self, hints: RedisSoldOut, guard: Guard) -> None:
        """Take where hints are kept, and what keeps a dead Redis from costing anything."""
        self._hints = hints
        self._guard = guard

    async def send(self, levels: StockLevels) -> None:
        """Set and clear hints; never raises because of Redis."""
        try:
            await self._guard.ask(lambda: self._note(levels))
        except CacheAway as exc:
            log.info("hints_not_sent", sold_out=len(levels.sold_out), back=len(levels.back), error=str(exc))

    async def _note(self, levels: StockLevels) -> None:
        await self._hints.set(levels.sold_out)
        await self._hints.clear(levels.back)
