"""The database's work for orders, in statements and commits: as much for 200 of them as for two."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from doorbuster.api.answers import order_answer
from doorbuster.bootstrap.batch_rows import rows_of_messages
from doorbuster.bootstrap.commands import order_step
from doorbuster.bootstrap.consumers import CONSUMERS, ConsumerName
from doorbuster.infra.batches.answers import Answer
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.idempotent_batches import IdempotentBatches
from doorbuster.infra.batches.message_batches import MessageBatches
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.infra.mysql import rows
from doorbuster.infra.mysql.database import Database
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.orders.model import PlaceOrder, WantedLine
from doorbuster.orders.tables import orders
from doorbuster.points.tables import point_balances
from doorbuster.products.tables import products, stock
from tests.integration.apps.batch_steps import outbox_rows
from tests.integration.apps.counted_statements import CountedStatements

pytestmark = pytest.mark.integration

FEW, MANY = 2, 200
PRODUCTS = 10
# In the order in which the messages of an order that succeeds come by; the flow manager has two turns.
WAY = (
    ConsumerName.STOCK,
    ConsumerName.COUPON,
    ConsumerName.ORDER_FLOW,
    ConsumerName.PAYMENT,
    ConsumerName.ORDER_FLOW,
    ConsumerName.POST_PROCESS,
    ConsumerName.EXTERNAL_DATA,
)
# Statements of one batch, which is one transaction and so one COMMIT more. Of these are in each step: the time, the
# known ids, the claims, the events. In all 61 and 8 COMMITs from a command to the partner's row, for 1 or 200 orders.
STATEMENTS = {
    "place-order": 8,  # the time, keys and their rows, prices, orders, sagas, answers, events
    "stock": 4 + 5,
    "coupon": 4 + 3,
    "order-flow, reserved": 4 + 3,
    "payment": 4 + 6,
    "order-flow, paid": 4 + 4,
    "post-process": 4 + 4,
    "external-data": 3 + 1,
}


@pytest.fixture
async def supplied(database: Database) -> Database:
    """Products, stock and points for all orders."""
    numbers = range(1, PRODUCTS + 1)
    async with database.transaction() as connection:
        lamps = [{"id": number, "name": "Lamp", "price": 1, "version": 1} for number in numbers]
        await rows.add(connection, products, lamps)
        await rows.add(connection, stock, [{"product_id": each, "supplied": 500, "available": 500} for each in numbers])
        users = [{"user_id": user, "balance": 100} for user in range(MANY)]
        await rows.add(connection, point_balances, users)
    return database


async def test_the_work_for_a_batch_is_the_same_for_two_orders_and_for_two_hundred(supplied: Database) -> None:
    few = await work(supplied, range(FEW))
    many = await work(supplied, range(FEW, FEW + MANY))

    assert few == many == {stage: [statements] for stage, statements in STATEMENTS.items()}
    async with supplied.reading() as connection:
        paid = select(func.count()).where(orders.c.status == "PAID").select_from(orders)
        assert (await connection.execute(paid)).scalar_one() == FEW + MANY


async def work(database: Database, numbers: range) -> dict[str, list[int]]:
    """Lead orders through all groups, one batch each; return the statements of each transaction by stage."""
    found = {"place-order": await placed(database, numbers)}
    turns = iter(("order-flow, reserved", "order-flow, paid"))
    seen: dict[ConsumerName, int] = {}
    for name in WAY:
        stage = next(turns) if name is ConsumerName.ORDER_FLOW else name.value
        records = await waiting(database, name, numbers, after=seen.get(name, 0))
        seen[name] = records[-1].offset
        found[stage] = await handled(database, name, records)
    return found


async def placed(database: Database, numbers: range) -> list[int]:
    counted = CountedStatements(database)
    batches = IdempotentBatches(counted, order_step(order_answer, lambda: True), uuid4)
    outcomes = await batches.run([command(number) for number in numbers])
    assert [outcome.status for outcome in outcomes if isinstance(outcome, Answer)] == [202] * len(numbers)
    return counted.statements


async def handled(database: Database, name: ConsumerName, records: Sequence[Record]) -> list[int]:
    counted, consumer = CountedStatements(database), CONSUMERS[name]
    handler = MessageBatches(
        counted, consumer.group, consumer.step, new_id=uuid4, rows_of=rows_of_messages(consumer.group)
    )
    assert await handler.handle(records) == BatchResult(processed=len(records))
    return counted.statements


async def waiting(database: Database, name: ConsumerName, numbers: range, *, after: int) -> Sequence[Record]:
    """Return the messages about these orders that the consumer hasn't read, as Kafka would deliver them."""
    keys = {str(UUID(int=number)).encode() for number in numbers}
    return [
        Record(
            topic=row.topic,
            partition=0,
            offset=row.seq,
            key=row.message_key,
            value=row.payload,
            timestamp_ms=0,
        )
        for row in await outbox_rows(database)
        if row.topic in CONSUMERS[name].topics and row.message_key in keys and row.seq > after
    ]


def command(number: int) -> Keyed[PlaceOrder]:
    lines = tuple(WantedLine(product_id=ProductId((number + shift) % PRODUCTS + 1), quantity=1) for shift in range(2))
    order = PlaceOrder(order_id=OrderId(UUID(int=number)), user_id=UserId(number % MANY), lines=lines)
    return Keyed(
        key_id=number.to_bytes(32, "big"), body_hash=bytes(32), body_bytes=100, attempt=UUID(int=number), command=order
    )
