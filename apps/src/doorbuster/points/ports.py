"""What charging and the payment step need from outside."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.points.model import ChargeDecision, Payment, PaymentDecision, PaymentState


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
