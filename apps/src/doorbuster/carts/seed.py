"""Carts of the seed profiles: one for each of the first users, with some lines in it."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.carts.model import Cart, CartLine
from doorbuster.carts.repository import cart_values
from doorbuster.carts.tables import carts
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import ProductId, UserId

MOST_LINES_SEEDED = 3
# Neighbours have different products: a prime, so that all products have their turn.
_STRIDE = 7_919


@dataclass(frozen=True, slots=True, kw_only=True)
class CartSeed:
    """Carts of users 1 to `count`, with products 1 to `products`. A user who has a cart keeps it, whatever is in it."""

    count: int
    products: int
    name: str = "carts"
    rows_per_item: int = 1

    async def write(self, connection: AsyncConnection, numbers: range) -> int:
        """Insert those of the carts that are missing, and return how many that were."""
        known = select(carts.c.user_id).where(carts.c.user_id.between(numbers.start, numbers.stop - 1))
        missing = sorted(set(numbers) - set((await connection.execute(known)).scalars()))
        now = await database_time(connection)
        made = [Cart(user_id=UserId(user), lines=seeded_lines(user, self.products), updated_at=now) for user in missing]
        await rows.add(connection, carts, [cart_values(cart) for cart in made])
        return len(missing)


def seeded_lines(user: int, products: int) -> tuple[CartLine, ...]:
    """Return what is in a seeded user's cart: the same in every run, one to three lines, each product once."""
    wanted = 1 + user % min(MOST_LINES_SEEDED, products)
    first = user * _STRIDE
    return tuple(
        CartLine(product_id=ProductId((first + shift) % products + 1), quantity=1 + (user + shift) % 3)
        for shift in range(wanted)
    )
