"""The refusal of an order whose product is known to have no units, before anything is written (R4)."""

from collections.abc import Collection, Sequence

from doorbuster.kernel.ids import ProductId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.model import WantedLine

SOLD_OUT = "sold-out"


def refuse_sold_out(lines: Sequence[WantedLine], sold_out: Collection[ProductId]) -> Refusal | None:
    """Return why the order is refused, naming the first line that is sold out; None if none is."""
    for position, line in enumerate(lines):
        if line.product_id in sold_out:
            return Refusal(
                code=SOLD_OUT,
                field=f"lines[{position}].product_id",
                detail=f"Product {line.product_id} is sold out.",
            )
    return None
