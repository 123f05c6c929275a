"""A shop with three products, two users, a charge and three orders, one that is paid and two that fail.

The orders go through the services step by step, without processes and Kafka, so that one may look between two steps.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy import text

from doorbuster.api.answers import charge_answer, order_answer
from doorbuster.bootstrap.commands import charge_step, order_step
from doorbuster.bootstrap.consumers import CONSUMERS
from doorbuster.contracts.bodies import AnyBody
from doorbuster.contracts.messages import decode
from doorbuster.infra.batches.answers import Answer
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.idempotent_batches import IdempotentBatches
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.orders.model import PlaceOrder, WantedLine
from doorbuster.points.model import ChargePoints
from doorbuster.points.seed import UserSeed
from doorbuster.products.seed import CatalogueSeed

UNITS = 10
POINTS = 1_000_000
CHARGED = 500
RICH, POOR = UserId(1), UserId(2)
PAID, TOO_MANY, TOO_DEAR, CHARGE = (UUID(int=number) for number in (1, 2, 3, 9))
# Order, buyer, product, units.
ORDERS = ((PAID, RICH, 1, 2), (TOO_MANY, RICH, 2, UNITS + 1), (TOO_DEAR, POOR, 3, 1))

C = TypeVar("C")

AfterStep = Callable[[str], Awaitable[None]]
"""Is told after each step what it was."""


async def nothing(_: str) -> None:
    """Look at nothing."""


async def open_shop(database: Database) -> None:
    """Make products, users and a charge."""
    async with database.transaction() as connection:
        await CatalogueSeed(count=3, units=UNITS).write(connection, range(1, 4))
        await UserSeed(count=1, points=POINTS).write(connection, range(1, 2))
        await UserSeed(count=2, points=1).write(connection, range(2, 3))
    charges = IdempotentBatches(database, charge_step(charge_answer), uuid4)
    command = ChargePoints(transaction_id=CHARGE, user_id=RICH, amount=CHARGED)
    (outcome,) = await charges.run([keyed(CHARGE, command)])
    assert isinstance(outcome, Answer)


async def place(database: Database) -> Sequence[AnyBody]:
    """Place the orders under keys; return the events that are in the outbox."""
    orders = IdempotentBatches(database, order_step(order_answer, lambda: True), uuid4)
    commands = [
        PlaceOrder(
            order_id=OrderId(order_id),
            user_id=buyer,
            lines=(WantedLine(product_id=ProductId(product), quantity=units),),
        )
        for order_id, buyer, product, units in ORDERS
    ]
    outcomes = await orders.run([keyed(command.order_id, command) for command in commands])
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    async with database.reading() as connection:
        found = await connection.execute(text("SELECT payload FROM outbox ORDER BY seq"))
        return [decode(bytes(row.payload)).body for row in found]


async def deliver(database: Database, events: Sequence[AnyBody], after_step: AfterStep = nothing) -> None:
    """Hand each event to the groups that read it, one transaction each, until there are none."""
    waiting = deque(events)
    while waiting:
        event = waiting.popleft()
        for consumer in CONSUMERS.values():
            if event.topic in consumer.topics:
                async with database.transaction() as connection:
                    waiting += await consumer.step(connection, [event], await database_time(connection))
                await after_step(f"{consumer.group} with {event.type}")


def key_of(minted: UUID) -> bytes:
    """Return the idempotency key of what was made with this id."""
    return minted.bytes * 2


def keyed(minted: UUID, command: C) -> Keyed[C]:
    """Return a command with its key."""
    return Keyed(key_id=key_of(minted), body_hash=bytes(32), body_bytes=100, attempt=uuid4(), command=command)
