"""Payments, balances and entries in MySQL: a constant number of statements a batch."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.points.history import EntryPosition
from doorbuster.points.model import (
    ChargeDecision,
    Entry,
    EntryKind,
    Payment,
    PaymentDecision,
    PaymentRefusal,
    PaymentState,
    PaymentStatus,
    user_account,
)
from doorbuster.points.tables import payments, point_balances, point_entries


class MySqlPointRepository:
    """Payments, charges and balances; all but `find` and `page` inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def claim(self, order_ids: Collection[OrderId], now: datetime) -> Mapping[OrderId, Payment]:
        """Return the payment of each order, locked; NEW placeholders are made where there was none."""
        placeholders = [
            _values(Payment(order_id=order_id, status=PaymentStatus.NEW, updated_at=now)) for order_id in order_ids
        ]
        claimed = await rows.claim(self._connection, payments, placeholders)
        return {row.order_id: _payment(row) for row in claimed}

    async def lock_balances(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return the balances, locked; a user without a row is absent."""
        return _balances(await rows.lock(self._connection, point_balances, user_ids))

    async def save(self, before: PaymentState, decision: PaymentDecision) -> None:
        """Write what was decided on `before`.

        Raises:
            RowsChangedMeanwhile: a balance isn't any more what it was.
        """
        await rows.write(self._connection, payments, [_values(payment) for payment in decision.payments])
        await self._move(before.balances, decision.balances, decision.entries)

    async def save_charges(self, before: Mapping[UserId, int], decision: ChargeDecision) -> None:
        """Write what was decided on the balances `before`.

        Raises:
            RowsChangedMeanwhile: a balance isn't any more what it was.
        """
        await self._move(before, decision.balances, decision.entries)

    async def find(self, user_ids: Collection[UserId]) -> Mapping[UserId, int]:
        """Return the balances of the users that have one, in points."""
        return _balances(await rows.find(self._connection, point_balances, user_ids))

    async def page(self, user_id: UserId, before: EntryPosition | None, limit: int) -> Sequence[Entry]:
        """Return at most `limit` entries of a user's account behind `before`, newest first."""
        columns = point_entries.c
        place = (columns.created_at, columns.transaction_id, columns.kind)
        statement = select(point_entries).where(columns.account == user_account(user_id))
        if before is not None:
            earlier = or_(
                columns.created_at < before.created_at,
                columns.transaction_id < before.transaction_id,
                and_(columns.transaction_id == before.transaction_id, columns.kind < before.kind),
            )
            # The first condition says a part of the second again, in a form that the index can use.
            statement = statement.where(columns.created_at <= before.created_at, earlier)
        statement = statement.order_by(*(column.desc() for column in place)).limit(limit)
        return [_entry(row) for row in await self._connection.execute(statement)]

    async def _move(self, before: Mapping[UserId, int], after: Mapping[UserId, int], entries: Iterable[Entry]) -> None:
        await rows.change(self._connection, point_balances.c.balance, before=before, after=after)
        await rows.add(self._connection, point_entries, [_entry_values(entry) for entry in entries])


class MySqlBalanceSource:
    """Opens reads of balances and entries."""

    def __init__(self, database: Database) -> None:
        """Use the applications' database."""
        self._database = database

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[MySqlPointRepository]:
        """Read what is certainly the newest."""
        async with self._database.reading() as connection:
            yield MySqlPointRepository(connection)


def _balances(found: Iterable[Row[Any]]) -> dict[UserId, int]:
    return {UserId(row.user_id): row.balance for row in found}


def _values(payment: Payment) -> dict[str, Any]:  # columns of several types
    return {
        "order_id": payment.order_id,
        "status": payment.status,
        "user_id": payment.user_id,
        "amount": payment.amount,
        "reason": payment.reason,
        "updated_at": payment.updated_at,
    }


def _payment(row: Row[Any]) -> Payment:
    return Payment(
        order_id=OrderId(row.order_id),
        status=PaymentStatus(row.status),
        user_id=row.user_id,
        amount=row.amount,
        reason=None if row.reason is None else PaymentRefusal(row.reason),
        updated_at=row.updated_at,
    )


def _entry_values(entry: Entry) -> dict[str, Any]:  # columns of several types
    return {
        "transaction_id": entry.transaction_id,
        "kind": entry.kind,
        "account": entry.account,
        "amount": entry.amount,
        "created_at": entry.created_at,
    }


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        transaction_id=row.transaction_id,
        kind=EntryKind(row.kind),
        account=row.account,
        amount=row.amount,
        created_at=row.created_at,
    )
