"""Carts in MySQL: a constant number of statements a batch."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.carts.model import Cart, CartLine
from doorbuster.carts.tables import carts
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import ProductId, UserId


class MySqlCartRepository:
    """Carts; all but `find` inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def claim(self, user_ids: Collection[UserId], now: datetime) -> Mapping[UserId, Cart]:
        """Return the users' carts, locked; empty ones are made where there was none."""
        empty = [cart_values(Cart(user_id=user_id, updated_at=now)) for user_id in user_ids]
        return _carts(await rows.claim(self._connection, carts, empty))

    async def lock(self, user_ids: Collection[UserId]) -> Mapping[UserId, Cart]:
        """Return the carts that exist, locked."""
        return _carts(await rows.lock(self._connection, carts, user_ids))

    async def save(self, changed: Sequence[Cart]) -> None:
        """Write locked carts."""
        await rows.write(self._connection, carts, [cart_values(cart) for cart in changed])

    async def find(self, user_ids: Collection[UserId]) -> Mapping[UserId, Cart]:
        """Return the carts that exist."""
        return _carts(await rows.find(self._connection, carts, user_ids))


class MySqlCartSource:
    """Opens reads of carts."""

    def __init__(self, database: Database) -> None:
        """Use the applications' database."""
        self._database = database

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[MySqlCartRepository]:
        """Read what is certainly the newest."""
        async with self._database.reading() as connection:
            yield MySqlCartRepository(connection)


def cart_values(cart: Cart) -> dict[str, Any]:  # columns of several types
    """Return the row of a cart that was changed."""
    return {
        "user_id": cart.user_id,
        "lines": [{"product_id": line.product_id, "quantity": line.quantity} for line in cart.lines],
        "updated_at": cart.updated_at,
    }


def _carts(found: Iterable[Row[Any]]) -> dict[UserId, Cart]:
    return {UserId(row.user_id): _cart(row) for row in found}


def _cart(row: Row[Any]) -> Cart:
    lines = tuple(CartLine(product_id=ProductId(line["product_id"]), quantity=line["quantity"]) for line in row.lines)
    return Cart(user_id=UserId(row.user_id), lines=lines, updated_at=row.updated_at)
