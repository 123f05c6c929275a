"""Orders and sagas in MySQL: a constant number of statements a batch."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.bodies import OrderLine
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.orders.model import Known, Order, OrderStatus, Saga, SagaStep
from doorbuster.orders.saga import Transition
from doorbuster.orders.tables import order_sagas, orders

_CHANGING = ("discount", "status", "failure_reason", "finished_at", "compensated_at")


class MySqlOrderRepository:
    """Orders with their sagas, inside one transaction: orders are locked first, then sagas, each ascending (R8)."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on an open transaction."""
        self._connection = connection

    async def add(self, sagas: Sequence[Saga]) -> None:
        """Insert the orders with their sagas."""
        await rows.add(self._connection, orders, [_order_values(saga.order) for saga in sagas])
        await rows.add(self._connection, order_sagas, [_saga_values(saga) for saga in sagas])

    async def lock(self, order_ids: Collection[OrderId]) -> Mapping[OrderId, Saga]:
        """Return the sagas that exist, locked with their orders."""
        locked_orders = await rows.lock(self._connection, orders, order_ids)
        locked_sagas = await rows.lock(self._connection, order_sagas, order_ids)
        return sagas_of(locked_orders, locked_sagas)

    async def save(self, transitions: Sequence[Transition]) -> None:
        """Write what changed, each order once."""
        changed_orders = [_order_values(each.after.order) for each in transitions if each.order_changed]
        changed_sagas = [_saga_values(each.after) for each in transitions if each.saga_changed]
        await rows.write(self._connection, orders, changed_orders, only=_CHANGING)
        await rows.write(self._connection, order_sagas, changed_sagas)


class MySqlOrderReads:
    """Reads of orders on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Read on this connection."""
        self._connection = connection

    async def find(self, order_ids: Collection[OrderId]) -> Mapping[OrderId, Order]:
        """Return the orders that exist, whoever's they are."""
        return {row.id: order_of(row) for row in await rows.find(self._connection, orders, order_ids)}

    async def page(self, user_id: UserId, before: OrderId | None, limit: int) -> Sequence[Order]:
        """Return at most `limit` orders of a user that were made before `before`, newest first."""
        statement = select(orders).where(orders.c.user_id == user_id).order_by(orders.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(orders.c.id < before)
        return [order_of(row) for row in await self._connection.execute(statement)]


class MySqlOrderSource:
    """Opens reads of orders."""

    def __init__(self, database: Database) -> None:
        """Use the applications' database."""
        self._database = database

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[MySqlOrderReads]:
        """Read what is certainly the newest."""
        async with self._database.reading() as connection:
            yield MySqlOrderReads(connection)


def sagas_of(order_rows: Iterable[Row[Any]], saga_rows: Iterable[Row[Any]]) -> dict[OrderId, Saga]:
    """Return the sagas that both rows exist of, in the order of their own rows."""
    found = {row.id: order_of(row) for row in order_rows}
    return {row.order_id: _saga(row, found[row.order_id]) for row in saga_rows if row.order_id in found}


def order_of(row: Row[Any]) -> Order:
    """Return the order that a row holds."""
    return Order(
        id=OrderId(row.id),
        user_id=UserId(row.user_id),
        lines=msgspec.convert(row.lines, tuple[OrderLine, ...]),
        total=row.total,
        created_at=row.created_at,
        coupon_id=row.coupon_id,
        discount=row.discount,
        status=OrderStatus(row.status),
        failure_reason=row.failure_reason,
        finished_at=row.finished_at,
        compensated_at=row.compensated_at,
    )


def _order_values(order: Order) -> dict[str, Any]:  # columns of several types
    return {
        "id": order.id,
        "user_id": order.user_id,
        "lines": msgspec.to_builtins(order.lines),
        "total": order.total,
        "coupon_id": order.coupon_id,
        "discount": order.discount,
        "status": order.status,
        "failure_reason": order.failure_reason,
        "created_at": order.created_at,
        "finished_at": order.finished_at,
        "compensated_at": order.compensated_at,
    }


def _saga(row: Row[Any], order: Order) -> Saga:
    return Saga(
        order=order,
        step=SagaStep(row.step),
        sent_at=row.sent_at,
        stock=Known(row.stock),
        coupon=Known(row.coupon),
        payment=Known(row.payment),
        cancel_reason=row.cancel_reason,
        redrives=row.redrives,
    )


def _saga_values(saga: Saga) -> dict[str, Any]:  # columns of several types
    return {
        "order_id": saga.order.id,
        "stock": saga.stock,
        "coupon": saga.coupon,
        "payment": saga.payment,
        "step": saga.step,
        "cancel_reason": saga.cancel_reason,
        "redrives": saga.redrives,
        "open": int(saga.open),
        "created_at": saga.order.created_at,
        "sent_at": saga.sent_at,
    }
