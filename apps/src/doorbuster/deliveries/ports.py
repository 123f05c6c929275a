"""What the deliveries need from outside."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from doorbuster.deliveries.model import Delivery, DeliveryPolicy, DeliveryStatus
from doorbuster.kernel.ids import OrderId


class DeliveryRepository(Protocol):
    """The rows, inside one transaction."""

    async def add(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        """Insert those whose order has no row yet."""

    async def claim(self, limit: int, policy: DeliveryPolicy, *, now: datetime) -> Sequence[Delivery]:
        """Return due rows that nobody else holds, with their attempt counted and their due time a lease ahead."""

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Write what became of attempts, but only where the row is still as it was claimed."""

    async def now(self) -> datetime:
        """Return the time by the database's clock."""

    async def count_due(self, now: datetime) -> int:
        """Return how many rows are due at this time."""


class Deliveries(Protocol):
    """Opens transactions on the rows."""

    def transaction(self) -> AbstractAsyncContextManager[DeliveryRepository]:
        """Return one transaction; raises what a Database's does."""


class Partner(Protocol):
    """The partner's own interface."""

    async def deliver(self, order_id: OrderId, payload: Mapping[str, object]) -> str | None:
        """Hand over an order's data, under the order's id as the partner's key; return what went wrong, or None."""


class DeliveryObserver(Protocol):
    """Is told what happens, for metrics."""

    def due(self, count: int) -> None:
        """Note how many rows are due, those in hand included."""

    def attempted(self, outcome: DeliveryStatus) -> None:
        """Note an attempt's outcome; DUE means that it failed and will be repeated."""
