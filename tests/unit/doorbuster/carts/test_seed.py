from hypothesis import given
from hypothesis import strategies as st

from doorbuster.carts.model import PutLine, decide
from doorbuster.carts.seed import MOST_LINES_SEEDED, seeded_lines
from doorbuster.kernel.ids import ProductId, UserId
from tests.unit.doorbuster.carts.test_model import NOW


@given(st.integers(1, 1_000_000), st.integers(1, 1_000_000))
def test_a_seeded_cart_could_be_a_users(user: int, products: int) -> None:
    lines = seeded_lines(user, products)
    commands = [PutLine(user_id=UserId(user), product_id=line.product_id, quantity=line.quantity) for line in lines]

    (cart,) = decide({}, {line.product_id for line in lines}, commands, NOW).changed

    assert cart.lines == lines
    assert 1 <= len(lines) <= MOST_LINES_SEEDED
    assert all(1 <= line.product_id <= products for line in lines)


def test_carts_spread_over_the_products() -> None:
    wanted = {line.product_id for user in range(1, 201) for line in seeded_lines(user, 100)}

    assert wanted == {ProductId(number) for number in range(1, 101)}
