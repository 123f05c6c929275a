from doorbuster.kernel.ids import ProductId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.model import WantedLine
from doorbuster.orders.sold_out import refuse_sold_out

LINES = tuple(WantedLine(product_id=ProductId(number), quantity=1) for number in (5, 7, 9))


def test_the_first_line_that_is_sold_out_is_named() -> None:
    assert refuse_sold_out(LINES, {ProductId(9), ProductId(7), ProductId(1)}) == Refusal(
        code="sold-out", field="lines[1].product_id", detail="Product 7 is sold out."
    )


def test_other_products_refuse_nothing() -> None:
    assert refuse_sold_out(LINES, {ProductId(1)}) is None
    assert refuse_sold_out(LINES, frozenset()) is None
