"""More stock for products that were sold, and a new hot product with few units: for rehearsals.

What is sold is `supplied - available`, so both grow by the same number. A statement of its own computes it from the row
that it has locked: a sale at the same moment comes before it or behind it, and is never lost.
"""

from dataclasses import dataclass

from sqlalchemy import BindParameter, Update, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.schema import Big
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import ProductId
from doorbuster.products.seed import LOWEST_PRICE
from doorbuster.products.tables import products, stock

HOT_PRICE = LOWEST_PRICE


class ProductsMissing(DoorbusterError):
    """None of the products exists, or some between the first and the last don't."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restock:
    """`count` products from `first` on, which exist, with at least `units` available; a part of a seed."""

    first: ProductId
    count: int
    units: int
    name: str = "restocked_products"
    rows_per_item: int = 1

    async def write(self, connection: AsyncConnection, numbers: range) -> int:
        """Fill up those of the products, numbered from 1, that have fewer units; return how many that were."""
        ends = {"first": self.first + numbers.start - 1, "last": self.first + numbers.stop - 2}
        return (await connection.execute(_FILL_UP, {**ends, "wanted": self.units})).rowcount


async def find_restock(connection: AsyncConnection, *, first: ProductId, most: int, units: int) -> Restock:
    """Return those of the `most` products from `first` on that exist, to be filled up to `units`.

    Raises:
        ProductsMissing: none exists, or not all between the first and the last: their ids couldn't be told as a range.
    """
    asked = stock.c.product_id.between(first, first + most - 1)
    count, last = (
        await connection.execute(select(func.count(), func.max(stock.c.product_id)).select_from(stock).where(asked))
    ).one()
    if count == 0:
        raise ProductsMissing(f"none of the products {first} to {first + most - 1} exists; is the shop seeded?")
    if last - first + 1 != count:
        raise ProductsMissing(f"of the products {first} to {last} only {count} exist; choose a range without holes")
    return Restock(first=first, count=count, units=units)


async def make_hot_product(connection: AsyncConnection, *, units: int) -> ProductId:
    """Make one product behind all others with exactly `units`, and return its id.

    Raises:
        DataRefused: at the same moment somebody else made one with this id; the transaction is rolled back.
    """
    highest = (await connection.execute(select(func.max(products.c.id)))).scalar_one()
    product_id = ProductId((highest or 0) + 1)
    product = {"id": product_id, "name": f"doorbuster-hot-{product_id}", "price": HOT_PRICE, "version": 1}
    await rows.add(connection, products, [product])
    await rows.add(connection, stock, [{"product_id": product_id, "supplied": units, "available": units}])
    return product_id


def _fill_up() -> Update:
    wanted: BindParameter[int] = bindparam("wanted", type_=Big())
    return (
        update(stock)
        .with_hint(rows.BY_KEY, stock)
        .where(stock.c.product_id.between(bindparam("first"), bindparam("last")), stock.c.available < wanted)
        # MySQL assigns from left to right: the first of the two must still see how many units there were.
        .ordered_values((stock.c.supplied, stock.c.supplied + wanted - stock.c.available), (stock.c.available, wanted))
    )


_FILL_UP = _fill_up()
