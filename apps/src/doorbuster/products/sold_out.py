"""Which products a batch of the stock group left without units, or gave units again: what the sold-out hint says (R4).

Only a hint: it turns buyers away before anything is written, and never accepts anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from doorbuster.kernel.ids import ProductId


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevels:
    """What a batch came to.

    Attributes:
        sold_out: products that it looked at and that have no units now, also when they had none before: each order that
            the stock group still has to reject says so anew.
        back: products that had no units, and have some again.
    """

    sold_out: frozenset[ProductId]
    back: frozenset[ProductId]


def levels(before: Mapping[ProductId, int], changed: Mapping[ProductId, int]) -> StockLevels:
    """Return what a batch came to.

    Args:
        before: available units of all products that the batch looked at.
        changed: the new units of those that it changed.
    """
    after = {**before, **changed}
    return StockLevels(
        sold_out=frozenset(product_id for product_id, units in after.items() if units == 0),
        back=frozenset(product_id for product_id, units in after.items() if units > 0 and before.get(product_id) == 0),
    )
