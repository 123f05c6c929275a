"""What charging and the payment step need from outside."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.points.history import EntryPosition
from doorbuster.points.model import ChargeDecision, Entry, Payment, PaymentDecision, PaymentState


class PaymentRepository(Protocol):
    """Payments and balances, inside one transaction; call in the order in which the methods stand here (R8)."""

    async def claim(self, order_ids: Collection[OrderId], now: datetime) -> Mapping[OrderId, Payment]:
        """Return the payment of each order, locked; NEW placeholders are made where there was none."""
        ...

    async def lock_balances(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return the balances, locked; a user without a row is absent."""
        ...

    async def save(self, before: PaymentState, decision: PaymentDecision) -> None:
        """Write what was decided on `before`.

        Raises:
            NotAccepted: a balance isn't any more what it was.
        """
        ...


class ChargeRepository(Protocol):
    """Balances that are charged, inside one transaction."""

    async def lock_balances(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return the balances, locked; a user without a row is absent."""
        ...

    async def save_charges(self, before: Mapping[UserId, int], decision: ChargeDecision) -> None:
        """Write what was decided on the balances `before`.

        Raises:
            NotAccepted: a balance isn't any more what it was.
        """
        ...


class BalanceRepository(Protocol):
    """Reads of balances on one connection to the primary (R5)."""

    async def find(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return the balances of the users that have one, in points."""
        ...


class BalanceSource(Protocol):
    """Opens reads of balances."""

    def reading(self) -> AbstractAsyncContextManager[BalanceRepository]:
        """Read what is certainly the newest."""
        ...


class EntryRepository(Protocol):
    """Reads of entries on one connection to the primary (R5)."""

    async def page(self, user_id: UserId, before: EntryPosition | None, limit: int) -> Sequence[Entry]:
        """Return at most `limit` entries of a user's account behind `before`, newest first."""
        ...


class EntrySource(Protocol):
    """Opens reads of entries."""

    def reading(self) -> AbstractAsyncContextManager[EntryRepository]:
        """Read what is certainly the newest."""
        ...
