"""Sums by product in bounded memory: of too many products only those with the smallest ids are kept. Pure.

Whoever adds up everything again, above the last id that was kept, gets the next ones; so any number of products is
summed in as many passes as are needed.
"""

from collections.abc import Iterator, Mapping

# Two numbers each: some 60 MiB, in a process that may have 256.
MOST_PRODUCTS = 300_000


class SmallestSums:
    """Sums of the products above one id, up to another that is as great as memory allows."""

    def __init__(self, *, above: int, most: int = MOST_PRODUCTS) -> None:
        """Begin at 0.

        Args:
            above: products up to this id are not summed.
            most: products that are kept at once.
        """
        self.above = above
        self.upto: int | None = None
        """The last id whose sum is right; None while all are."""
        self._most = most
        self._units: dict[int, int] = {}
        self._orders: dict[int, int] = {}

    def add(self, product_id: int, *, units: int, orders: int = 0) -> None:
        """Add to a product, if it is one of those that are kept."""
        if product_id <= self.above or (self.upto is not None and product_id > self.upto):
            return
        self._units[product_id] = self._units.get(product_id, 0) + units
        self._orders[product_id] = self._orders.get(product_id, 0) + orders
        if len(self._units) > self._most:
            self._drop_greatest()

    def take(self, product_id: int) -> tuple[int, int]:
        """Return a product's units and orders, and forget them."""
        return self._units.pop(product_id, 0), self._orders.pop(product_id, 0)

    def left(self) -> Iterator[tuple[int, int, int]]:
        """Yield product, units and orders of what was not taken, but for sums of nothing; ascending."""
        for product_id in sorted(self._units):
            units, orders = self._units[product_id], self._orders[product_id]
            if (units, orders) != (0, 0):
                yield product_id, units, orders

    @property
    def units(self) -> Mapping[int, int]:
        """The units by product, of what was not taken."""
        return self._units

    def _drop_greatest(self) -> None:
        # Half of them, so that dropping stays rare.
        kept = sorted(self._units)[: max(1, self._most // 2)]
        self.upto = kept[-1]
        self._units = {product_id: self._units[product_id] for product_id in kept}
        self._orders = {product_id: self._orders[product_id] for product_id in kept}
