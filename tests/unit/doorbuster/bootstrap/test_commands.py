from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.api.answers import order_answer
from doorbuster.bootstrap.commands import order_step
from doorbuster.infra.batches.keyed_commands import NOT_WITHOUT_BROKER
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.orders.model import PlaceOrder

NOW = datetime(2026, 11, 25, tzinfo=UTC)
# Whoever touches it fails.
NO_CONNECTION = cast("AsyncConnection", None)


async def test_while_the_outbox_is_too_full_new_orders_touch_nothing() -> None:
    step = order_step(order_answer, lambda: False)
    command = PlaceOrder(order_id=OrderId(UUID(int=1)), user_id=UserId(1), lines=())

    decided = await step(NO_CONNECTION, [command, command], NOW)

    assert decided.outcomes == [NOT_WITHOUT_BROKER, NOT_WITHOUT_BROKER]
    assert decided.events == ()
