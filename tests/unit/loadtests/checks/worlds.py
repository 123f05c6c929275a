"""Whole runs without a fault, made up by Hypothesis: tries of shoppers, and lists that fit them."""

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import strategies as st

from loadtests.checks.orders import ListedOrder, OrderStatus
from loadtests.witness import Attempt, Outcome

USERS = st.integers(min_value=1, max_value=3)
PRODUCTS = st.integers(min_value=1, max_value=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A run.

    Attributes:
        attempts: all tries.
        lists: what the shoppers' lists hold.
        accepted: what shoppers read an id of.
        surfaced: how many orders stand for unknown keys.
    """

    attempts: tuple[Attempt, ...]
    lists: dict[int, list[ListedOrder]]
    accepted: tuple[ListedOrder, ...]
    surfaced: int


def attempt(
    key: str,
    outcome: Outcome,
    *,
    order_id: str | None = None,
    status: int | None = None,
    user_id: int = 1,
    product_id: int = 1,
) -> Attempt:
    return Attempt(
        at=1_700_000_000,
        key=key,
        user_id=user_id,
        product_id=product_id,
        outcome=outcome,
        order_id=order_id,
        status=202 if outcome is Outcome.OK else status,
        seconds=0.01,
    )


def listed(
    order_id: str, *, product_id: int = 1, status: OrderStatus = OrderStatus.PAID, reason: str | None = None
) -> ListedOrder:
    return ListedOrder(order_id=order_id, status=status, units={product_id: 1}, failure_reason=reason)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    attempts: list[Attempt] = []
    lists: dict[int, list[ListedOrder]] = defaultdict(list)
    accepted: list[ListedOrder] = []
    surfaced = 0
    for number in range(draw(st.integers(min_value=1, max_value=12))):
        user_id, product_id = draw(USERS), draw(PRODUCTS)
        order = listed(f"order-{number}", product_id=product_id, status=draw(st.sampled_from(OrderStatus)))
        outcome = draw(st.sampled_from(Outcome))
        tries: list[tuple[Outcome, int | None]] = [(Outcome.UNKNOWN, None)] * draw(
            st.integers(min_value=0, max_value=2)
        )
        tries.append((outcome, 409 if outcome is Outcome.FAIL else None))
        for tried, status in tries:
            order_id = order.order_id if tried is Outcome.OK else None
            attempts.append(
                attempt(
                    f"key-{number}", tried, order_id=order_id, status=status, user_id=user_id, product_id=product_id
                )
            )
        if outcome is Outcome.OK:
            accepted.append(order)
        comes_up = outcome is Outcome.UNKNOWN and draw(st.booleans())
        surfaced += comes_up
        if outcome is Outcome.OK or comes_up:
            lists[user_id].append(order)
    return World(attempts=tuple(attempts), lists=lists, accepted=tuple(accepted), surfaced=surfaced)
