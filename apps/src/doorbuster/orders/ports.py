"""What orders and their sagas need from outside."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from doorbuster.contracts.bodies import Body
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.orders.model import Order, Priced, Saga
from doorbuster.orders.saga import Transition


class Catalogue(Protocol):
    """Prices for orders."""

    async def find(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, Priced]:
        """Return the products that exist."""
        ...


class NewOrders(Protocol):
    """Accepted orders, inside one transaction."""

    async def add(self, sagas: Sequence[Saga]) -> None:
        """Insert the orders with their sagas."""
        ...


class SagaRepository(Protocol):
    """Sagas with their orders, inside one transaction."""

    async def lock(self, order_ids: Collection[OrderId]) -> Mapping[OrderId, Saga]:
        """Return the sagas that exist, locked with their orders."""
        ...

    async def save(self, transitions: Sequence[Transition]) -> None:
        """Write what changed, each order once."""
        ...


class OrderReads(Protocol):
    """Reads of orders on one connection to the primary (R5)."""

    async def find(self, order_ids: Collection[OrderId]) -> Mapping[OrderId, Order]:
        """Return the orders that exist, whoever's they are."""
        ...

    async def page(self, user_id: UserId, before: OrderId | None, limit: int) -> Sequence[Order]:
        """Return at most `limit` orders of a user that were made before `before`, newest first."""
        ...


class OrderSource(Protocol):
    """Opens reads of orders."""

    def reading(self) -> AbstractAsyncContextManager[OrderReads]:
        """Read what is certainly the newest."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A message in the outbox.

    Attributes:
        seq: grows with each message.
        partition: where the relay published it; None while it isn't published, as is `offset`.
    """

    seq: int
    topic: str
    partition: int | None
    offset: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in the open sagas, which are walked by the age of their present step."""

    sent_at: datetime
    order_id: OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSagas:
    """How the open sagas stand.

    Attributes:
        oldest: when the oldest one's order was made; None when none is open.
        uncompensated: orders that FAILED so long ago that they should be compensated.
    """

    count: int
    oldest: datetime | None
    uncompensated: int


class WatchRepository(SagaRepository, Protocol):
    """Sagas and the messages about them, on one connection; `lock`, `save` and `send` inside one transaction."""

    async def now(self) -> datetime:
        """Return the time by the database's clock."""
        ...

    async def overview(self, now: datetime, compensation: timedelta) -> OpenSagas:
        """Return how the open sagas stand; `compensation` is the time that a FAILED order has for it."""
        ...

    async def overdue(self, sent_until: datetime, *, behind: Position | None, limit: int) -> Sequence[Saga]:
        """Return open sagas whose step was sent at `sent_until` or before, oldest step first, without locks."""
        ...

    async def newest_messages(self, order_ids: Collection[OrderId]) -> Mapping[tuple[OrderId, str], Published]:
        """Return the newest message of each order and type that is in the outbox."""
        ...

    async def send(self, events: Sequence[Body], now: datetime) -> None:
        """Store events to be sent, as the transaction's last act."""
        ...


class WatchSource(Protocol):
    """Opens connections for the watch."""

    def reading(self) -> AbstractAsyncContextManager[WatchRepository]:
        """Read on the primary, without a transaction."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[WatchRepository]:
        """Open one transaction."""
        ...


class CommittedOffsets(Protocol):
    """What consumer groups have committed."""

    async def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        """Return the next offset that the group will read, by topic and partition; absent where it never committed.

        A message at offset n is done when the committed offset is greater than n.

        Raises:
            BrokerUnavailable: that isn't known now.
        """
        ...
