"""What the catalogue, the stock and the count of sales need from outside."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from doorbuster.kernel.ids import OrderId, ProductId
from doorbuster.products.model import Product, Reservation, StockDecision, StockState
from doorbuster.products.ranking import BestSeller, SoldUnits
from doorbuster.products.sales import Sales
from doorbuster.products.search import Position


class StockRepository(Protocol):
    """Reservations and stock, inside one transaction; call in the order in which the methods stand here (R8)."""

    async def claim(self, order_ids: Collection[OrderId], now: datetime) -> Mapping[OrderId, Reservation]:
        """Return the reservation of each order, locked; NEW placeholders are made where there was none."""
        ...

    async def lock_stock(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, int]:
        """Return the available units, locked; a product without stock is absent."""
        ...

    async def save(self, before: StockState, decision: StockDecision) -> None:
        """Write what was decided on `before`.

        Raises:
            NotAccepted: the stock isn't any more what it was.
        """
        ...


class SalesRepository(Protocol):
    """Counted orders and sales, inside one transaction."""

    async def claim_uncounted(self, order_ids: Collection[OrderId], now: datetime) -> frozenset[OrderId]:
        """Return those orders that were never counted, marked as counted by this transaction."""
        ...

    async def add(self, sales: Mapping[ProductId, Sales]) -> None:
        """Add to the products' counts."""
        ...

    async def sold_units(self, product_ids: Collection[ProductId]) -> Sequence[SoldUnits]:
        """Return the counts of products that this transaction has added to, ascending by id."""
        ...


class Ranking(Protocol):
    """A copy of the best counts; raises what its server raises."""

    async def note(self, counts: Sequence[SoldUnits]) -> None:
        """Bring counts into the ranking, unless there is none or it knows newer ones."""
        ...

    async def renew(self, counts: Sequence[SoldUnits]) -> None:
        """Bring the best counts; the ranking is made if there is none."""
        ...

    async def best(self, limit: int) -> Sequence[BestSeller]:
        """Return at most `limit` products, most units first; nothing if there is no ranking."""
        ...


class CatalogueRepository(Protocol):
    """Reads of the catalogue on one connection."""

    async def find(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        """Return the products that exist."""
        ...

    async def page(self, after: ProductId | None, limit: int) -> Sequence[Product]:
        """Return at most `limit` products behind `after`, ascending by id."""
        ...

    async def search(self, prefix: str, behind: Position | None, limit: int) -> Sequence[Product]:
        """Return at most `limit` products whose names begin with `prefix`, behind a position, by name and id."""
        ...


class CatalogueSource(Protocol):
    """Opens reads of the catalogue."""

    def secondary(self) -> AbstractAsyncContextManager[CatalogueRepository]:
        """Read where it costs the primary nothing; what was written in the last second may be absent (R5)."""
        ...

    def primary(self) -> AbstractAsyncContextManager[CatalogueRepository]:
        """Read what is certainly the newest."""
        ...
