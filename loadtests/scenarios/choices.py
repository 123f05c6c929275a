"""Who orders what: the same in every run with the same seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from loadtests.config import Rush


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One shopper who wants one unit of one product."""

    user_id: int
    product_id: int


def choices(rush: Rush) -> Iterator[Choice]:
    """Yield who wants what, for each scheduled order in its turn.

    Shoppers and products are drawn uniformly. Those who want the hot product are as many as the rush says, and spread
    evenly over the orders.
    """
    drawn = random.Random(rush.seed)  # noqa: S311 - no secret; it must repeat itself
    scheduled = rush.arrivals.scheduled
    for number in range(scheduled):
        user_id = drawn.randrange(rush.first_user, rush.first_user + rush.users)
        # Drawn for hot orders too: another number of them leaves everybody else's choice as it is.
        product_id = drawn.randrange(rush.first_product, rush.first_product + rush.products)
        if rush.hot_product is not None and is_hot(number, hot=rush.hot_wanted, of=scheduled):
            product_id = rush.hot_product
        yield Choice(user_id=user_id, product_id=product_id)


def is_hot(number: int, *, hot: int, of: int) -> bool:
    """Return whether the order with this number, from 0, is one of the hot ones; exactly `hot` of all `of` are."""
    # Whole numbers: how many are hot before this one, and with it.
    return (number + 1) * hot // of > number * hot // of
