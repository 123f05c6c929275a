import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.api.answers import order_answer
from doorbuster.bootstrap.commands import BatchesThatWake, order_step
from doorbuster.infra.answers import Answer, Outcome
from doorbuster.infra.idempotency_keys import Keyed
from doorbuster.infra.keyed_commands import NOT_WITHOUT_BROKER
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.orders.model import PlaceOrder

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DONE = Answer(status=202, body=b"{}")
# Whoever touches it fails.
NO_CONNECTION = cast("AsyncConnection", None)


async def run_batch(batch: Sequence[Keyed[str]]) -> Sequence[Outcome | DoorbusterError]:
    return [DONE] * len(batch)


async def test_while_the_outbox_is_too_full_new_orders_touch_nothing() -> None:
    step = order_step(order_answer, lambda: False)
    command = PlaceOrder(order_id=OrderId(UUID(int=1)), user_id=UserId(1), lines=())

    decided = await step(NO_CONNECTION, [command, command], NOW)

    assert decided.outcomes == [NOT_WITHOUT_BROKER, NOT_WITHOUT_BROKER]
    assert decided.events == ()


async def test_nobody_waits_for_a_wake_up_and_none_after_a_commit_is_lost() -> None:
    sent = 0
    goes_on = asyncio.Event()

    async def wake() -> None:
        nonlocal sent
        sent += 1
        await goes_on.wait()

    batches = BatchesThatWake(run_batch, wake)
    keyed = Keyed(key_id=b"", body_hash=b"", attempt=UUID(int=1), command="order")

    assert await batches.run([keyed]) == [DONE]
    await asyncio.sleep(0)
    # Two commits while the first wake-up is under way: one more is enough for both.
    await batches.run([keyed])
    await batches.run([keyed])
    goes_on.set()
    await batches.drain()

    assert sent == 2
