"""A buyer's cancel on real tables, at every step of the saga, and beside the flow manager."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import select

from doorbuster.api.answers import cancel_answer
from doorbuster.bootstrap.buying import cancel_step
from doorbuster.contracts.bodies import (
    Body,
    CouponNone,
    CouponReleased,
    OrderLine,
    PaymentCancelled,
    PaymentPaid,
    StockReleased,
    StockReserved,
)
from doorbuster.infra.batches.answers import Answer, Outcome, Refused
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.idempotent_batches import IdempotentBatches
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import database_time
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.orders.cancelling import CancelOrder
from doorbuster.orders.model import Order, begin
from doorbuster.orders.repository import MySqlOrderRepository
from doorbuster.orders.service import OrderFlowService
from doorbuster.orders.tables import order_sagas, orders
from tests.integration.apps.batch_steps import outbox_rows
from tests.integration.apps.deadlocks import deadlocks

pytestmark = pytest.mark.integration

BUYER = UserId(7)


def order_id(number: int) -> OrderId:
    return OrderId(UUID(int=number))


async def place(database: Database, *numbers: int) -> None:
    async with database.transaction() as connection:
        now = await database_time(connection)
        line = OrderLine(product_id=1, quantity=1, unit_price=10)
        made = [
            Order(id=order_id(number), user_id=BUYER, lines=(line,), total=10, created_at=now) for number in numbers
        ]
        await MySqlOrderRepository(connection).add([begin(order) for order in made])


async def handle(database: Database, *bodies: Body) -> Sequence[Body]:
    async with database.transaction() as connection:
        return await OrderFlowService().handle(
            MySqlOrderRepository(connection), bodies, await database_time(connection)
        )


def to_paying(number: int) -> list[Body]:
    return [StockReserved(order_id=order_id(number)), CouponNone(order_id=order_id(number))]


def cancel(number: int, *, attempt: int = 100, key: int | None = None, user: UserId = BUYER) -> Keyed[CancelOrder]:
    return Keyed(
        key_id=(key or attempt).to_bytes(32, "big"),
        body_hash=number.to_bytes(32, "big"),
        body_bytes=2,
        attempt=UUID(int=attempt),
        command=CancelOrder(cancellation_id=UUID(int=attempt), order_id=order_id(number), user_id=user),
    )


async def run(database: Database, *batch: Keyed[CancelOrder]) -> Sequence[Outcome | DoorbusterError]:
    return await IdempotentBatches(database, cancel_step(cancel_answer), uuid4).run(batch)


def told(outcome: Outcome | DoorbusterError) -> tuple[int, str]:
    """The status of an answer, and what it says: the order's state, or the code of a refusal."""
    assert isinstance(outcome, Answer | Refused)
    document = msgspec.json.decode(outcome.body)
    return outcome.status, document.get("code") or document["status"]


async def state(database: Database, number: int) -> tuple[str, str, str | None]:
    async with database.reading() as connection:
        order = (await connection.execute(select(orders).where(orders.c.id == order_id(number)))).one()
        saga = (await connection.execute(select(order_sagas).where(order_sagas.c.order_id == order_id(number)))).one()
    return order.status, saga.step, order.failure_reason


async def sent(database: Database) -> list[str]:
    return [row.message_type for row in await outbox_rows(database)]


@pytest.mark.parametrize("answers", [0, 1])
async def test_before_the_payment_the_order_failed_at_once_and_everybody_is_told(
    database: Database, answers: int
) -> None:
    await place(database, 1)
    await handle(database, *to_paying(1)[:answers])

    (outcome,) = await run(database, cancel(1))

    assert told(outcome) == (200, "FAILED")
    assert await state(database, 1) == ("FAILED", "COMPENSATING", "cancelled-by-buyer")
    assert await sent(database) == ["order.cancelled"]
    await handle(
        database,
        StockReleased(order_id=order_id(1)),
        CouponReleased(order_id=order_id(1)),
        PaymentCancelled(order_id=order_id(1)),
    )
    assert (await state(database, 1))[1] == "COMPENSATED"


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (PaymentCancelled(order_id=order_id(1)), ("FAILED", "COMPENSATING", "cancelled-by-buyer")),
        (PaymentPaid(order_id=order_id(1)), ("PAID", "DONE", None)),
    ],
)
async def test_after_the_request_the_payment_decides(
    database: Database, answer: Body, ends: tuple[str, str, str | None]
) -> None:
    await place(database, 1)
    await handle(database, *to_paying(1))

    (outcome,) = await run(database, cancel(1))

    assert told(outcome) == (202, "PENDING")
    assert await state(database, 1) == ("PENDING", "STOPPING", None)
    assert await sent(database) == ["payment.cancel-requested"]
    await handle(database, answer)
    assert await state(database, 1) == ends


async def test_a_paid_order_stays_paid(database: Database) -> None:
    await place(database, 1)
    await handle(database, *to_paying(1), PaymentPaid(order_id=order_id(1)))

    (outcome,) = await run(database, cancel(1))

    assert told(outcome) == (409, "already-paid")
    assert await state(database, 1) == ("PAID", "DONE", None)
    assert await sent(database) == []


async def test_a_repeat_and_a_second_cancel_change_nothing(database: Database) -> None:
    await place(database, 1)
    (first,) = await run(database, cancel(1, attempt=100, key=5))

    (again,) = await run(database, cancel(1, attempt=101, key=5))
    (second,) = await run(database, cancel(1, attempt=102, key=6))

    assert again == first
    assert told(second) == (200, "FAILED")
    assert await sent(database) == ["order.cancelled"]


async def test_a_strangers_cancel_is_not_found_and_leaves_no_key(database: Database) -> None:
    await place(database, 1)

    outcomes = await run(database, cancel(1, user=UserId(8)), cancel(99, attempt=101))

    assert [told(outcome) for outcome in outcomes] == [(404, "not-found")] * 2
    assert (await state(database, 1))[1] == "RESERVING"
    assert [told(each) for each in await run(database, cancel(1))] == [(200, "FAILED")]


async def test_cancels_beside_the_flow_manager_neither_deadlock_nor_send_twice(database: Database) -> None:
    numbers = range(1, 101)
    await place(database, *numbers)
    before = deadlocks()

    cancels = [run(database, *(cancel(n, attempt=1_000 * part + n) for n in reversed(numbers))) for part in (1, 2)]
    answers = [
        handle(database, *(StockReserved(order_id=order_id(n)) for n in numbers)),
        handle(database, *(CouponNone(order_id=order_id(n)) for n in reversed(numbers))),
    ]
    outcomes, _ = await asyncio.gather(asyncio.gather(*cancels), asyncio.gather(*answers))

    assert {told(each)[0] for batch in outcomes for each in batch} <= {200, 202}
    keys = [row.message_key for row in await outbox_rows(database)]
    assert len(keys) == len(set(keys)) == len(numbers)
    steps = {(await state(database, number))[1] for number in numbers}
    assert steps <= {"COMPENSATING", "STOPPING"}
    assert deadlocks() == before
