"""Who orders what: the same in every run with the same seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from loadtests.config import Rush


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One shopper who wants one unit of one product.

    Attributes:
        coupon_id: the coupon that the order redeems; None for none.
        cart: it goes into the shopper's cart, and the whole cart is ordered.
    """

    user_id: int
    product_id: int
    coupon_id: int | None = None
    cart: bool = False


def choices(rush: Rush) -> Iterator[Choice]:
    """Yield who wants what, for each scheduled order in its turn.

    Shoppers and products are drawn uniformly. Those who want the hot product are as many as the rush says, and spread
    evenly over the orders.
    """
    drawn = random.Random(rush.seed)  # noqa: S311 - no secret; it must repeat itself
    scheduled = rush.arrivals.scheduled
    # Two of one shopper's would meet: one coupon is redeemed once, and one cart is emptied once.
    special = _Special(rush)
    for number in range(scheduled):
        user_id = drawn.randrange(rush.first_user, rush.first_user + rush.users)
        # Drawn for hot orders too: another number of them leaves everybody else's choice as it is.
        product_id = drawn.randrange(rush.first_product, rush.first_product + rush.products)
        if rush.hot_product is not None and is_hot(number, hot=rush.hot_wanted, of=scheduled):
            product_id = rush.hot_product
        yield special.choice(number, user_id, product_id)


class _Special:
    """Makes some of the orders something special: one with a coupon, or a cart; each such shopper once."""

    def __init__(self, rush: Rush) -> None:
        self._rush = rush
        self._scheduled = rush.arrivals.scheduled
        self._seen: set[int] = set()

    def choice(self, number: int, user_id: int, product_id: int) -> Choice:
        rush = self._rush
        wanted = rush.coupon_orders + rush.checkouts
        if not is_hot(number, hot=wanted, of=self._scheduled):
            return Choice(user_id=user_id, product_id=product_id)
        user_id = self._unseen(user_id)
        # Of the special ones so far, as many have a coupon as of all.
        turn = number * wanted // self._scheduled
        if is_hot(turn, hot=rush.coupon_orders, of=wanted):
            return Choice(user_id=user_id, product_id=product_id, coupon_id=rush.coupon)
        return Choice(user_id=user_id, product_id=product_id, cart=True)

    def _unseen(self, user_id: int) -> int:
        """Return the user, or the next one who had nothing special yet; at most half of all have."""
        while user_id in self._seen:
            user_id = self._rush.first_user + (user_id + 1 - self._rush.first_user) % self._rush.users
        self._seen.add(user_id)
        return user_id


def is_hot(number: int, *, hot: int, of: int) -> bool:
    """Return whether the order with this number, from 0, is one of the hot ones; exactly `hot` of all `of` are."""
    # Whole numbers: how many are hot before this one, and with it.
    return (number + 1) * hot // of > number * hot // of
