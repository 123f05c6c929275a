"""The ranking of best-selling products: counts of sold units, each absolute and with its version (R11).

Only shown, never decided on. Of equal units the greater id comes first, as an index in MySQL is read from its end.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from doorbuster.kernel.ids import ProductId

MOST_RANKED = 1_000
"""A ranking outside MySQL has no more products."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestSeller:
    """A product and the units that were sold of it."""

    product_id: ProductId
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldUnits:
    """A product's count as MySQL has it: a greater version is newer, whoever brings it first."""

    product_id: ProductId
    units: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedProduct:
    """A best seller as it is shown; the first has rank 1."""

    rank: int
    product_id: ProductId
    name: str
    price: int
    units: int


def best(counts: Iterable[SoldUnits]) -> tuple[SoldUnits, ...]:
    """Return the counts with the most units, at most 1,000: counts only grow, so no other can be in the ranking."""
    return tuple(heapq.nlargest(MOST_RANKED, counts, key=lambda count: (count.units, count.product_id)))
