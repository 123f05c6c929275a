from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.api.answers import order_answer
from doorbuster.bootstrap.buying import checkout_step
from doorbuster.carts.model import CheckOut
from doorbuster.infra.batches.keyed_commands import NOT_WITHOUT_BROKER
from doorbuster.kernel.ids import OrderId, UserId

NOW = datetime(2026, 11, 25, tzinfo=UTC)
# Whoever touches it fails.
NO_CONNECTION = cast("AsyncConnection", None)


async def test_while_the_outbox_is_too_full_a_checkout_touches_no_cart() -> None:
    step = checkout_step(order_answer, lambda: False)
    command = CheckOut(order_id=OrderId(UUID(int=1)), user_id=UserId(1))

    decided = await step(NO_CONNECTION, [command, command], NOW)

    assert decided.outcomes == [NOT_WITHOUT_BROKER, NOT_WITHOUT_BROKER]
    assert decided.events == ()
