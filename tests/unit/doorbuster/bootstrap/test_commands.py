from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.api.answers import order_answer
from doorbuster.bootstrap.commands import BatchesThatWake, order_step
from doorbuster.infra.batches.answers import Answer, Outcome
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.keyed_commands import NOT_WITHOUT_BROKER
from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.orders.model import PlaceOrder

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DONE = Answer(status=202, body=b"{}")
# Whoever touches it fails.
NO_CONNECTION = cast("AsyncConnection", None)


async def test_while_the_outbox_is_too_full_new_orders_touch_nothing() -> None:
    step = order_step(order_answer, lambda: False)
    command = PlaceOrder(order_id=OrderId(UUID(int=1)), user_id=UserId(1), lines=())

    decided = await step(NO_CONNECTION, [command, command], NOW)

    assert decided.outcomes == [NOT_WITHOUT_BROKER, NOT_WITHOUT_BROKER]
    assert decided.events == ()


async def test_the_relay_is_woken_after_a_batch() -> None:
    happened: list[str] = []

    async def run_batch(batch: Sequence[Keyed[str]]) -> Sequence[Outcome | DoorbusterError]:
        happened.append("committed")
        return [DONE] * len(batch)

    batches = BatchesThatWake(run_batch, lambda: happened.append("woken"))

    assert await batches.run([Keyed(key_id=b"", body_hash=b"", body_bytes=0, attempt=UUID(int=1), command="order")])
    assert happened == ["committed", "woken"]
