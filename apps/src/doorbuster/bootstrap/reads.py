"""Binds the reads of the API to services, with a coalescer in front of each (R5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from doorbuster.infra.batches.coalesced_reads import OWN_READS, PUBLIC_READS, CoalescedReads
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.orders.model import Order
from doorbuster.orders.repository import MySqlOrderSource
from doorbuster.orders.service import OrderQueries
from doorbuster.points.repository import MySqlBalanceSource
from doorbuster.points.service import BalanceQueries
from doorbuster.products.model import Product
from doorbuster.products.repository import MySqlCatalogueSource
from doorbuster.products.search import Position
from doorbuster.products.service import CatalogueService

_OrderKey = tuple[UserId, OrderId]
_OrderPageKey = tuple[UserId, OrderId | None, int]
_ProductPageKey = tuple[ProductId, int]
_SearchKey = tuple[str, Position | None, int]
# A page may have ten thousand lines, and a batch holds all its pages until the last one is read. Each is a query of its
# own, so fewer in a batch cost no more of them.
_PAGES_OF_ORDERS = replace(OWN_READS, max_items=8)


class OrderReads:
    """A buyer's own orders, on the primary."""

    def __init__(self, database: Database, *, deadline_seconds: float) -> None:
        """Read from this database, within the deadline."""
        self._queries = OrderQueries(MySqlOrderSource(database))
        self._by_id: CoalescedReads[_OrderKey, Order] = CoalescedReads(
            self._find, name="order-by-id", limits=OWN_READS, deadline_seconds=deadline_seconds
        )
        self._pages: CoalescedReads[_OrderPageKey, Sequence[Order]] = CoalescedReads(
            self._find_pages, name="order-page", limits=_PAGES_OF_ORDERS, deadline_seconds=deadline_seconds
        )

    async def find(self, order_id: OrderId, *, user_id: UserId) -> Order | None:
        """Return the order; None if there is none, or it is another buyer's."""
        return await self._by_id.find((user_id, order_id), user=user_id)

    async def page(self, user_id: UserId, *, before: OrderId | None, limit: int) -> Sequence[Order]:
        """Return the buyer's orders that are older than `before`, newest first."""
        return await self._pages.find((user_id, before, limit), user=user_id) or ()

    async def drain(self) -> None:
        """Refuse new reads, and return when those that wait are done."""
        await self._by_id.drain()
        await self._pages.drain()

    async def _find(self, keys: Collection[_OrderKey]) -> Mapping[_OrderKey, Order]:
        wanted = list(keys)
        found = await self._queries.find(wanted)
        return {key: order for key, order in zip(wanted, found, strict=True) if order is not None}

    async def _find_pages(self, keys: Collection[_OrderPageKey]) -> Mapping[_OrderPageKey, Sequence[Order]]:
        # Each user's page is a query of its own; what the coalescer gives here is its bound.
        return {key: await self._queries.page(key[0], before=key[1], limit=key[2]) for key in keys}


class BalanceReads:
    """Users' points, on the primary."""

    def __init__(self, database: Database, *, deadline_seconds: float) -> None:
        """Read from this database, within the deadline."""
        self._balances: CoalescedReads[UserId, int] = CoalescedReads(
            BalanceQueries(MySqlBalanceSource(database)).find,
            name="balance",
            limits=OWN_READS,
            deadline_seconds=deadline_seconds,
        )

    async def find(self, user_id: UserId) -> int | None:
        """Return the balance; None if the user has no account."""
        return await self._balances.find(user_id, user=user_id)

    async def drain(self) -> None:
        """Refuse new reads, and return when those that wait are done."""
        await self._balances.drain()


class CatalogueReads:
    """Lists of the catalogue, on secondaries that are fit; one product is read through the caches."""

    def __init__(self, database: Database, *, deadline_seconds: float) -> None:
        """Read from this database, within the deadline."""
        self._service = CatalogueService(MySqlCatalogueSource(database))
        self._pages: CoalescedReads[_ProductPageKey, Sequence[Product]] = CoalescedReads(
            self._find_pages, name="product-page", limits=PUBLIC_READS, deadline_seconds=deadline_seconds
        )
        self._searches: CoalescedReads[_SearchKey, Sequence[Product]] = CoalescedReads(
            self._find_searches, name="product-search", limits=PUBLIC_READS, deadline_seconds=deadline_seconds
        )

    async def page(self, *, after: ProductId, limit: int) -> Sequence[Product]:
        """Return products behind `after`, ascending by id."""
        return await self._pages.find((after, limit)) or ()

    async def search(self, prefix: str, *, behind: Position | None, limit: int) -> Sequence[Product]:
        """Return products whose names begin so, behind a position, by name and id."""
        return await self._searches.find((prefix, behind, limit)) or ()

    async def drain(self) -> None:
        """Refuse new reads, and return when those that wait are done."""
        await self._pages.drain()
        await self._searches.drain()

    async def _find_pages(self, keys: Collection[_ProductPageKey]) -> Mapping[_ProductPageKey, Sequence[Product]]:
        return {key: await self._service.page(after=key[0], limit=key[1]) for key in keys}

    async def _find_searches(self, keys: Collection[_SearchKey]) -> Mapping[_SearchKey, Sequence[Product]]:
        return {key: await self._service.search(key[0], behind=key[1], limit=key[2]) for key in keys}
