"""What carts need from outside."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from doorbuster.carts.model import Cart, CheckOut
from doorbuster.kernel.ids import ProductId, UserId
from doorbuster.kernel.refusals import Refusal

O_co = TypeVar("O_co", covariant=True)


class CartRepository(Protocol):
    """Carts, inside one transaction; they are locked before anything that an order locks (R8)."""

    async def claim(self, user_ids: Collection[UserId], now: datetime) -> Mapping[UserId, Cart]:
        """Return the users' carts, locked; empty ones are made where there was none."""
        ...

    async def lock(self, user_ids: Collection[UserId]) -> Mapping[UserId, Cart]:
        """Return the carts that exist, locked."""
        ...

    async def save(self, carts: Sequence[Cart]) -> None:
        """Write locked carts."""
        ...


class KnownProducts(Protocol):
    """The catalogue, as far as carts look at it."""

    async def find(self, product_ids: Collection[ProductId]) -> Collection[ProductId]:
        """Return those of the products that exist."""
        ...


class OrderPlacing(Protocol[O_co]):
    """Places orders in the transaction in which the carts are locked."""

    async def place(
        self, checkouts: Sequence[CheckOut], carts: Mapping[UserId, Cart], now: datetime
    ) -> Sequence[O_co | Refusal]:
        """Return for each checkout, in their order, the order of its cart's lines, or why there is none."""
        ...


class CartReads(Protocol):
    """Reads of carts on one connection to the primary (R5)."""

    async def find(self, user_ids: Collection[UserId]) -> Mapping[UserId, Cart]:
        """Return the carts that exist."""
        ...


class CartSource(Protocol):
    """Opens reads of carts."""

    def reading(self) -> AbstractAsyncContextManager[CartReads]:
        """Read what is certainly the newest."""
        ...
