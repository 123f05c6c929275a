"""Use cases of the products: stock for orders, the count of sales, reads of the catalogue."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from doorbuster.contracts.bodies import Body
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.kernel.ids import OrderId, ProductId
from doorbuster.products.model import Product, StockState, decide, products_needed
from doorbuster.products.ports import CatalogueRepository, CatalogueSource, SalesRepository, StockRepository
from doorbuster.products.ranking import SoldUnits
from doorbuster.products.sales import count
from doorbuster.products.search import Position
from doorbuster.products.sold_out import StockLevels, levels

LONGEST_PAGE = 100

T = TypeVar("T")


def _unheard(_levels: StockLevels) -> None:
    """Tell nobody."""


class StockService:
    """What the stock group does with a batch: reserves and releases units (R14)."""

    def __init__(self, seen: Callable[[StockLevels], None] = _unheard) -> None:
        """Take who is told what each batch comes to, if its transaction commits; returns at once, never raises."""
        self._seen = seen

    async def handle(self, repository: StockRepository, bodies: Sequence[Body], now: datetime) -> Sequence[Body]:
        """Reserve or release what the bodies ask for; return the answers."""
        reservations = await repository.claim({OrderId(body.order_id) for body in bodies}, now)
        with deciding():
            products = products_needed(reservations, bodies)
        state = StockState(reservations=reservations, available=await repository.lock_stock(products))
        with deciding():
            decision = decide(state, bodies, now)
        await repository.save(state, decision)
        self._seen(levels(state.available, decision.available))
        return decision.events


class SalesService:
    """What the post-process group does with a batch: counts each completed order once (R11)."""

    def __init__(self, seen: Callable[[Sequence[SoldUnits]], None] | None = None) -> None:
        """Take who is told what each batch counts up to, if its transaction commits; returns at once, never raises.

        With nobody to tell, nothing is read back.
        """
        self._seen = seen

    async def handle(self, repository: SalesRepository, bodies: Sequence[Body], now: datetime) -> Sequence[Body]:
        """Count what was never counted; return that the orders' data is ready for the partner."""
        uncounted = await repository.claim_uncounted({OrderId(body.order_id) for body in bodies}, now)
        with deciding():
            decision = count(uncounted, bodies)
        await repository.add(decision.sales)
        if self._seen is not None:
            self._seen(await repository.sold_units(decision.sales.keys()))
        return decision.events


class CatalogueService:
    """Reads of the catalogue, many products at once."""

    def __init__(self, source: CatalogueSource) -> None:
        """Read from this source."""
        self._source = source

    async def find(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        """Return the products that exist; what a secondary doesn't find is asked of the primary (R5)."""
        found = await self._read(lambda catalogue: catalogue.find(product_ids))
        missing = set(product_ids) - found.keys()
        if not missing:
            return found
        async with self._source.primary() as catalogue:
            return {**found, **await catalogue.find(missing)}

    async def newest(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        """Return the products that exist, as the primary knows them."""
        async with self._source.primary() as catalogue:
            return await catalogue.find(product_ids)

    async def page(self, *, after: ProductId | None = None, limit: int = LONGEST_PAGE) -> Sequence[Product]:
        """Return products behind `after`, ascending by id; at most 100, also if `limit` is more."""
        return await self._read(lambda catalogue: catalogue.page(after, min(limit, LONGEST_PAGE)))

    async def search(
        self, prefix: str, *, behind: Position | None = None, limit: int = LONGEST_PAGE
    ) -> Sequence[Product]:
        """Return products whose names begin so, by name and id; at most 100, also if `limit` is more."""
        return await self._read(lambda catalogue: catalogue.search(prefix, behind, min(limit, LONGEST_PAGE)))

    async def _read(self, read: Callable[[CatalogueRepository], Awaitable[T]]) -> T:
        """Read from a secondary; from the primary if that one is lost meanwhile (R5)."""
        try:
            async with self._source.secondary() as catalogue:
                return await read(catalogue)
        except PrimaryUnavailable:
            # Once, and not when too many read: the primary isn't to get what is too much for the secondaries.
            async with self._source.primary() as catalogue:
                return await read(catalogue)
