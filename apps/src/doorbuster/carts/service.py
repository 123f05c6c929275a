"""Use cases of the carts: changing them, ordering what is in them, reading one's own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from doorbuster.carts.model import (
    Cart,
    CartCommand,
    CheckOut,
    PutLine,
    decide,
    emptied,
    first_checkouts,
    needs_cart,
    settle,
)
from doorbuster.carts.ports import CartRepository, CartSource, KnownProducts, OrderPlacing
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.ids import UserId
from doorbuster.kernel.refusals import Refusal

T = TypeVar("T")


class CartService:
    """Changes carts."""

    async def handle(
        self, carts: CartRepository, products: KnownProducts, commands: Sequence[CartCommand], now: datetime
    ) -> Sequence[Cart | Refusal]:
        """Change what the commands ask for; return the cart after each, or why nothing was done, in their order."""
        known = await products.find({command.product_id for command in commands if isinstance(command, PutLine)})
        # All by one claim, though who only removes needs no row: two statements would not lock in ascending order (R8).
        found = await carts.claim({command.user_id for command in commands if needs_cart(command, known)}, now)
        with deciding():
            decision = decide(found, known, commands, now)
        await carts.save(decision.changed)
        return decision.outcomes


class CheckoutService:
    """Makes orders of carts."""

    async def handle(
        self, carts: CartRepository, orders: OrderPlacing[T], commands: Sequence[CheckOut], now: datetime
    ) -> Sequence[T | Refusal]:
        """Order what is in the carts, and empty those whose order was accepted; return the outcomes in order."""
        found = await carts.lock({command.user_id for command in commands})
        with deciding():
            first = first_checkouts(found, commands)
        placed = dict(zip((command.user_id for command in first), await orders.place(first, found, now), strict=True))
        with deciding():
            outcomes = settle(commands, placed)
        accepted = [user for user, outcome in placed.items() if not isinstance(outcome, Refusal)]
        await carts.save(emptied(accepted, now))
        return outcomes


class CartQueries:
    """Reads of carts, many users at once."""

    def __init__(self, source: CartSource) -> None:
        """Read from this source."""
        self._source = source

    async def find(self, user_ids: Collection[UserId]) -> Mapping[UserId, Cart]:
        """Return the carts that exist."""
        async with self._source.reading() as carts:
            return await carts.find(user_ids)
