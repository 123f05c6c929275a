"""Compares what was added up from orders and reservations with the stock and the sales, in bounded memory."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from doorbuster.audit import statements
from doorbuster.audit.checks import BELOW_EVERY_ID, BELOW_EVERY_NUMBER, Key, Values, Walk
from doorbuster.audit.model import Finding, Findings
from doorbuster.audit.smallest_sums import MOST_PRODUCTS, SmallestSums
from doorbuster.audit.snapshot import Snapshot
from doorbuster.audit.sum_checks import SalesFacts, StockFacts, judge_sales, judge_stock

Compare: TypeAlias = Callable[[Values, SmallestSums], Iterator[Finding]]
"""Judges a row beside its sums, and takes those."""
Leftover: TypeAlias = Callable[[int, int, int], Iterator[Finding]]
"""Judges the sums of a product that no row was found for: product, units, orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is added up, and what it must agree with.

    Attributes:
        added: the table whose rows are added up, and the statement that does it for a page.
        told: the table that tells the sums, and the statement that leaves out where nothing is told.
    """

    added: Walk
    added_statement: str
    added_column: str
    told: Walk
    told_statement: str
    told_column: str
    compare: Compare
    leftover: Leftover


def _stock(row: Values, sums: SmallestSums) -> Iterator[Finding]:
    product_id, supplied, available = row
    held, _ = sums.take(product_id)
    return judge_stock(StockFacts(product_id=product_id, supplied=supplied, available=available, held=held))


def _no_stock(product_id: int, units: int, _: int) -> Iterator[Finding]:
    # There may be stock of it, but none of it is missing.
    return judge_stock(StockFacts(product_id=product_id, supplied=0, available=0, held=units))


def _sales(row: Values, sums: SmallestSums) -> Iterator[Finding]:
    product_id, units, orders = row
    units_in_orders, orders_with_it = sums.take(product_id)
    return judge_sales(
        SalesFacts(
            product_id=product_id,
            units=units,
            orders=orders,
            units_in_orders=units_in_orders,
            orders_with_it=orders_with_it,
        )
    )


def _no_sales(product_id: int, units: int, orders: int) -> Iterator[Finding]:
    return judge_sales(
        SalesFacts(product_id=product_id, units=0, orders=0, units_in_orders=units, orders_with_it=orders)
    )


STOCK = Comparison(
    added=Walk(name="reservations", column="order_id", source="stock_reservations", first=BELOW_EVERY_ID),
    added_statement=statements.RESERVED_UNITS,
    added_column="r.order_id",
    told=Walk(
        name="products", column="product_id", source="stock", first=BELOW_EVERY_NUMBER, page_rows=20_000
    ),
    told_statement=statements.STOCK_THAT_IS_MISSED,
    told_column="s.product_id",
    compare=_stock,
    leftover=_no_stock,
)  # fmt: skip
SALES = Comparison(
    added=Walk(name="sales", column="order_id", source="counted_orders", first=BELOW_EVERY_ID),
    added_statement=statements.COUNTED_UNITS,
    added_column="counted.order_id",
    told=Walk(name="products_sold", column="product_id", source="product_sales", first=BELOW_EVERY_NUMBER),
    told_statement=statements.SALES,
    told_column="sales.product_id",
    compare=_sales,
    leftover=_no_sales,
)


async def compare_all(
    snapshot: Snapshot, comparison: Comparison, findings: Findings, *, most_products: int = MOST_PRODUCTS
) -> None:
    """Compare all products, as many at once as memory allows, each time adding everything up again.

    Args:
        snapshot: where to read.
        comparison: what is compared.
        findings: takes what is found.
        most_products: products whose sums are kept at once.
    """
    above: int = BELOW_EVERY_NUMBER
    first = True
    while True:
        sums = SmallestSums(above=above, most=most_products)
        async for row in _added(snapshot, comparison, sums.above, findings if first else None):
            sums.add(row[0], units=int(row[1]), orders=int(row[2]))
        async for row in _told(snapshot, comparison, above=above, upto=sums.upto, findings=findings):
            findings.add(comparison.compare(row, sums))
        for product_id, units, orders in sums.left():
            findings.add(comparison.leftover(product_id, units, orders))
        if sums.upto is None:
            return
        above, first = sums.upto, False


async def _added(
    snapshot: Snapshot, comparison: Comparison, above: int, findings: Findings | None
) -> AsyncIterator[Values]:
    async for scope in snapshot.pages(comparison.added):
        if findings is not None:
            findings.looked_at[comparison.added.name] += scope.rows
        statement, column = comparison.added_statement, comparison.added_column
        for row in await snapshot.rows(statement, scope, column=column, above=above):
            yield row


async def _told(
    snapshot: Snapshot, comparison: Comparison, *, above: int, upto: Key | None, findings: Findings
) -> AsyncIterator[Values]:
    async for scope in snapshot.pages(comparison.told, after=above, upto=upto):
        findings.looked_at[comparison.told.name] += scope.rows
        for row in await snapshot.rows(comparison.told_statement, scope, column=comparison.told_column):
            yield row
