"""The catalogue of the seed profiles, the same at every place and time."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql import rows
from doorbuster.kernel.ids import ProductId
from doorbuster.products.tables import products, stock

DOORBUSTER_TEST = ProductId(1)
"""Named `doorbuster-test`: what `helm test` buys (P15)."""
SCARCE = ProductId(2)
"""Named `doorbuster-scarce`: so few units that a person can buy the last one."""
SCARCE_UNITS = 5

LOWEST_PRICE = 100
HIGHEST_PRICE = 10_000

_NAMES: Mapping[ProductId, str] = MappingProxyType({DOORBUSTER_TEST: "doorbuster-test", SCARCE: "doorbuster-scarce"})
# Prime to the number of prices, so that neighbours differ and all prices come.
_STRIDE = 7_919


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSeed:
    """Products 1 to `count`, with `units` in stock, but few of the scarce one.

    What is there stays as it is: names and prices that a person changed, and stock that was sold.
    """

    count: int
    units: int
    name: str = "products"
    rows_per_item: int = 2

    async def write(self, connection: AsyncConnection, numbers: range) -> int:
        """Insert those of the products that are missing, and return how many that were."""
        there = select(products.c.id).where(products.c.id.between(numbers.start, numbers.stop - 1))
        missing = sorted(set(numbers) - set((await connection.execute(there)).scalars()))
        await rows.add(connection, products, [_product(ProductId(number)) for number in missing])
        await rows.add(connection, stock, [self._stock(ProductId(number)) for number in missing])
        return len(missing)

    def _stock(self, product_id: ProductId) -> dict[str, int]:
        units = SCARCE_UNITS if product_id == SCARCE else self.units
        return {"product_id": product_id, "supplied": units, "available": units}


def seeded_price(product_id: ProductId) -> int:
    """Return the price in points, 100 to 10,000; the two named products cost the least."""
    if product_id in _NAMES:
        return LOWEST_PRICE
    return LOWEST_PRICE + product_id * _STRIDE % (HIGHEST_PRICE - LOWEST_PRICE + 1)


def _product(product_id: ProductId) -> dict[str, int | str]:
    return {
        "id": product_id,
        "name": _NAMES.get(product_id, f"Product {product_id}"),
        "price": seeded_price(product_id),
        "version": 1,
    }
