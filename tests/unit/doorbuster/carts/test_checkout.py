"""A checkout as a use case: what becomes an order, what is emptied, what everybody is answered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from doorbuster.carts.model import EMPTY, Cart, CartLine, CheckOut
from doorbuster.carts.service import CheckoutService
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANN, BOB, CAT = UserId(1), UserId(2), UserId(3)
LINES = (CartLine(product_id=ProductId(5), quantity=2),)
VANISHED = Refusal(code="unknown-product", field="lines[0].product_id", detail="There is no product 5.")


@dataclass
class Carts:
    """The repository, in memory."""

    carts: dict[UserId, Cart]

    async def claim(self, user_ids: Collection[UserId], now: datetime) -> Mapping[UserId, Cart]:
        raise AssertionError(f"a checkout makes no carts: {user_ids} at {now}")

    async def lock(self, user_ids: Collection[UserId]) -> Mapping[UserId, Cart]:
        return {user: cart for user, cart in self.carts.items() if user in user_ids}

    async def save(self, carts: Sequence[Cart]) -> None:
        self.carts |= {cart.user_id: cart for cart in carts}


@dataclass
class Orders:
    """Places orders as text, or refuses those of some users."""

    refused: Collection[UserId] = ()
    placed: list[OrderId] = field(default_factory=list)

    async def place(
        self, checkouts: Sequence[CheckOut], carts: Mapping[UserId, Cart], now: datetime
    ) -> Sequence[str | Refusal]:
        assert now == NOW
        outcomes: list[str | Refusal] = []
        for checkout in checkouts:
            assert carts[checkout.user_id].lines
            if checkout.user_id in self.refused:
                outcomes.append(VANISHED)
            else:
                self.placed.append(checkout.order_id)
                outcomes.append(f"order {checkout.order_id.int}")
        return outcomes


def full(*users: UserId) -> Carts:
    return Carts({user: Cart(user_id=user, lines=LINES) for user in users})


def check_out(number: int, user: UserId = ANN) -> CheckOut:
    return CheckOut(order_id=OrderId(UUID(int=number)), user_id=user)


async def test_a_cart_becomes_an_order_and_is_empty() -> None:
    carts, orders = full(ANN, BOB), Orders()

    assert await CheckoutService().handle(carts, orders, [check_out(1)], NOW) == ("order 1",)
    assert carts.carts == {ANN: Cart(user_id=ANN, updated_at=NOW), BOB: Cart(user_id=BOB, lines=LINES)}


async def test_an_empty_cart_and_none_are_refused_alike() -> None:
    carts, orders = Carts({ANN: Cart(user_id=ANN)}), Orders()

    outcomes = await CheckoutService().handle(carts, orders, [check_out(1), check_out(2, BOB)], NOW)

    assert outcomes == (EMPTY, EMPTY)
    assert (EMPTY.code, orders.placed) == ("cart-empty", [])


async def test_of_two_checkouts_of_one_cart_the_first_one_gets_it() -> None:
    carts, orders = full(ANN, BOB), Orders()

    outcomes = await CheckoutService().handle(carts, orders, [check_out(1), check_out(2, BOB), check_out(3)], NOW)

    assert outcomes == ("order 1", "order 2", EMPTY)


async def test_a_cart_whose_order_is_refused_stays() -> None:
    carts, orders = full(ANN, BOB), Orders(refused={ANN})

    outcomes = await CheckoutService().handle(carts, orders, [check_out(1), check_out(2, BOB), check_out(3)], NOW)

    # The third meets the same cart as the first.
    assert outcomes == (VANISHED, "order 2", VANISHED)
    assert carts.carts[ANN].lines == LINES


@given(
    st.lists(st.sampled_from((ANN, BOB, CAT)), max_size=8),
    st.frozensets(st.sampled_from((ANN, BOB, CAT))),
    st.frozensets(st.sampled_from((ANN, BOB, CAT))),
)
async def test_each_cart_is_ordered_once_at_most_and_is_empty_exactly_then(
    users: list[UserId], filled: frozenset[UserId], refused: frozenset[UserId]
) -> None:
    carts, orders = full(*sorted(filled)), Orders(refused=refused)

    outcomes = await CheckoutService().handle(
        carts, orders, [check_out(number, user) for number, user in enumerate(users)], NOW
    )

    bought = [user for user, outcome in zip(users, outcomes, strict=True) if isinstance(outcome, str)]
    assert sorted(bought) == sorted((filled - refused) & set(users))
    assert {user for user, cart in carts.carts.items() if not cart.lines} == set(bought)
    assert len(orders.placed) == len(bought)
