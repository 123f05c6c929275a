"""Catalogue, stock, reservations and sales in MySQL: a constant number of statements a batch."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Row, and_, literal_column, or_, select, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.bodies import OrderLine
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.kernel.ids import OrderId, ProductId
from doorbuster.products.model import (
    Product,
    Reservation,
    ReservationStatus,
    StockDecision,
    StockRefusal,
    StockState,
)
from doorbuster.products.ranking import SoldUnits
from doorbuster.products.sales import Sales
from doorbuster.products.search import Position, end_of_prefix
from doorbuster.products.tables import counted_orders, product_sales, products, stock, stock_reservations

# A claim that isn't counted yet: it never outlives the transaction that made it.
_UNCOUNTED = datetime(1970, 1, 2, tzinfo=UTC)
# For a beginning that many names have, the optimizer may count all of them and read the table instead, and sort it.
_BY_NAME = "FORCE INDEX (ix_products_name_id)"
# For a thousand rows of a small table the optimizer would rather read all and sort them.
_BY_UNITS = "FORCE INDEX (ix_product_sales_units_product_id)"


class MySqlStockRepository:
    """Reservations and stock, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on an open transaction."""
        self._connection = connection

    async def claim(self, order_ids: Collection[OrderId], now: datetime) -> Mapping[OrderId, Reservation]:
        """Return the reservation of each order, locked; NEW placeholders are made where there was none."""
        placeholders = [_reservation_values(_placeholder(order_id, now)) for order_id in order_ids]
        claimed = await rows.claim(self._connection, stock_reservations, placeholders)
        return {row.order_id: _reservation(row) for row in claimed}

    async def lock_stock(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, int]:
        """Return the available units, locked; a product without stock is absent."""
        locked = await rows.lock(self._connection, stock, product_ids)
        return {ProductId(row.product_id): row.available for row in locked}

    async def save(self, before: StockState, decision: StockDecision) -> None:
        """Write what was decided on `before`.

        Raises:
            RowsChangedMeanwhile: the stock isn't any more what it was.
        """
        changed = [_reservation_values(row) for row in decision.reservations]
        await rows.write(self._connection, stock_reservations, changed)
        await rows.change(self._connection, stock.c.available, before=before.available, after=decision.available)


class MySqlSalesRepository:
    """Counted orders and sales, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on an open transaction."""
        self._connection = connection

    async def claim_uncounted(self, order_ids: Collection[OrderId], now: datetime) -> frozenset[OrderId]:
        """Return those orders that were never counted, marked as counted by this transaction."""
        placeholders = [{"order_id": order_id, "counted_at": _UNCOUNTED} for order_id in order_ids]
        claimed = await rows.claim(self._connection, counted_orders, placeholders)
        uncounted = frozenset(row.order_id for row in claimed if row.counted_at == _UNCOUNTED)
        if uncounted:
            await self._connection.execute(
                update(counted_orders)
                .with_hint(rows.BY_KEY, counted_orders)
                .where(counted_orders.c.order_id.in_(sorted(uncounted)))
                .values(counted_at=now)
            )
        return uncounted

    async def add(self, sales: Mapping[ProductId, Sales]) -> None:
        """Add to the products' counts."""
        if not sales:
            return
        statement = insert(product_sales)
        columns = product_sales.c
        await self._connection.execute(
            statement.on_duplicate_key_update(
                units=columns.units + statement.inserted.units,
                orders=columns.orders + statement.inserted.orders,
                # Not a parameter: the driver makes one statement of many rows only if all parameters are in VALUES.
                version=columns.version + literal_column("1"),
            ),
            [
                {"product_id": product_id, "units": sold.units, "orders": sold.orders, "version": 1}
                for product_id, sold in sorted(sales.items())
            ],
        )

    async def sold_units(self, product_ids: Collection[ProductId]) -> Sequence[SoldUnits]:
        """Return the counts of products that this transaction has added to, ascending by id.

        Their rows are locked by what was added, so nobody changes them before the commit (R8).
        """
        return [_sold_units(row) for row in await rows.find(self._connection, product_sales, product_ids)]


class MySqlBestSellers:
    """Reads of the best counts, where they cost the primary nothing; what was counted in the last second may lack."""

    def __init__(self, database: Database) -> None:
        """Read from this database."""
        self._database = database

    async def best(self, limit: int) -> Sequence[SoldUnits]:
        """Return at most `limit` counts, most units first, of equals the greater id first."""
        try:
            async with self._database.catalogue() as connection:
                return await _best(connection, limit)
        except PrimaryUnavailable:
            # A secondary that was lost meanwhile: the primary may be well (R5).
            async with self._database.reading() as connection:
                return await _best(connection, limit)


class MySqlCatalogueRepository:
    """Reads of the catalogue on one connection; inside a transaction also the prices of an order."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Read on this connection."""
        self._connection = connection

    async def find(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Product]:
        """Return the products that exist."""
        found = await rows.find(self._connection, products, product_ids)
        return {ProductId(row.id): _product(row) for row in found}

    async def page(self, after: ProductId | None, limit: int) -> Sequence[Product]:
        """Return at most `limit` products behind `after`, ascending by id."""
        statement = select(products).order_by(products.c.id).limit(limit)
        if after is not None:
            statement = statement.where(products.c.id > after)
        return [_product(row) for row in await self._connection.execute(statement)]

    async def search(self, prefix: str, behind: Position | None, limit: int) -> Sequence[Product]:
        """Return at most `limit` products whose names begin with `prefix`, behind a position, by name and id."""
        name, key, end = products.c.name, products.c.id, end_of_prefix(prefix)
        statement = select(products).with_hint(products, _BY_NAME).where(name >= prefix)
        if end is not None:
            statement = statement.where(name < end)
        if behind is not None:
            # Not `(name, id) > (…)`: MySQL reads no range of an index for a comparison of rows.
            statement = statement.where(or_(and_(name == behind.name, key > behind.id), name > behind.name))
        found = await self._connection.execute(statement.order_by(name, key).limit(limit))
        return [_product(row) for row in found]


class MySqlProductChanges:
    """One product, to be changed inside a transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on an open transaction."""
        self._connection = connection

    async def lock(self, product_id: ProductId) -> Product | None:
        """Return the product, locked; None if there is none."""
        found = await rows.lock(self._connection, products, [product_id])
        return _product(found[0]) if found else None

    async def save(self, product: Product) -> None:
        """Write a product that is locked."""
        values = {"id": product.id, "name": product.name, "price": product.price, "version": product.version}
        await rows.write(self._connection, products, [values])


class MySqlCatalogueSource:
    """Opens reads of the catalogue."""

    def __init__(self, database: Database) -> None:
        """Use the applications' database."""
        self._database = database

    @asynccontextmanager
    async def secondary(self) -> AsyncIterator[MySqlCatalogueRepository]:
        """Read where it costs the primary nothing; what was written in the last second may be absent (R5)."""
        async with self._database.catalogue() as connection:
            yield MySqlCatalogueRepository(connection)

    @asynccontextmanager
    async def primary(self) -> AsyncIterator[MySqlCatalogueRepository]:
        """Read what is certainly the newest."""
        async with self._database.reading() as connection:
            yield MySqlCatalogueRepository(connection)


async def _best(connection: AsyncConnection, limit: int) -> Sequence[SoldUnits]:
    columns = product_sales.c
    statement = (
        select(product_sales)
        .with_hint(product_sales, _BY_UNITS)
        .order_by(columns.units.desc(), columns.product_id.desc())
        .limit(limit)
    )
    return [_sold_units(row) for row in await connection.execute(statement)]


def _placeholder(order_id: OrderId, now: datetime) -> Reservation:
    return Reservation(order_id=order_id, status=ReservationStatus.NEW, updated_at=now)


def _reservation_values(reservation: Reservation) -> dict[str, Any]:  # columns of several types
    return {
        "order_id": reservation.order_id,
        "status": reservation.status,
        "lines": None if reservation.lines is None else msgspec.to_builtins(reservation.lines),
        "reason": reservation.reason,
        "product_id": reservation.product_id,
        "updated_at": reservation.updated_at,
    }


def _reservation(row: Row[Any]) -> Reservation:
    return Reservation(
        order_id=OrderId(row.order_id),
        status=ReservationStatus(row.status),
        lines=None if row.lines is None else msgspec.convert(row.lines, tuple[OrderLine, ...]),
        reason=None if row.reason is None else StockRefusal(row.reason),
        product_id=row.product_id,
        updated_at=row.updated_at,
    )


def _sold_units(row: Row[Any]) -> SoldUnits:
    return SoldUnits(product_id=ProductId(row.product_id), units=row.units, version=row.version)


def _product(row: Row[Any]) -> Product:
    return Product(id=ProductId(row.id), name=row.name, price=row.price, version=row.version)
