"""Binds the services' steps to repositories, and their outcomes to answers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.batches.answers import Answer, Decided, Refused
from doorbuster.infra.batches.idempotent_batches import CommandStep
from doorbuster.infra.batches.keyed_commands import NOT_WITHOUT_BROKER
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.model import Order, PlaceOrder
from doorbuster.orders.repository import MySqlOrderRepository
from doorbuster.orders.service import OrderPlacement
from doorbuster.points.model import Charged, ChargePoints
from doorbuster.points.repository import MySqlPointRepository
from doorbuster.points.service import ChargeService
from doorbuster.products.repository import MySqlCatalogueRepository

OrderPresenter: TypeAlias = Callable[[PlaceOrder, Order | Refusal], Answer | Refused]
ChargePresenter: TypeAlias = Callable[[ChargePoints, Charged | Refusal], Answer | Refused]

C = TypeVar("C")


def order_step(present: OrderPresenter, accepts: Callable[[], bool]) -> CommandStep[PlaceOrder]:
    """Return the step that places orders.

    Args:
        present: makes the answer to a command.
        accepts: whether the outbox may grow (R17).
    """
    placement = OrderPlacement()

    async def step(connection: AsyncConnection, commands: Sequence[PlaceOrder], now: datetime) -> Decided:
        placed = await placement.handle(
            MySqlOrderRepository(connection), MySqlCatalogueRepository(connection), commands, now
        )
        outcomes = [present(command, outcome) for command, outcome in zip(commands, placed.outcomes, strict=True)]
        return Decided(outcomes=outcomes, events=placed.events)

    return while_accepted(step, accepts)


def while_accepted(step: CommandStep[C], accepts: Callable[[], bool]) -> CommandStep[C]:
    """Return the step, which touches nothing while the outbox may not grow (R17); repeats are answered all the same."""

    async def guarded(connection: AsyncConnection, commands: Sequence[C], now: datetime) -> Decided:
        if not accepts():
            return Decided(outcomes=[NOT_WITHOUT_BROKER] * len(commands))
        return await step(connection, commands, now)

    return guarded


def charge_step(present: ChargePresenter) -> CommandStep[ChargePoints]:
    """Return the step that charges points.

    Args:
        present: makes the answer to a command.
    """
    service = ChargeService()

    async def step(connection: AsyncConnection, commands: Sequence[ChargePoints], now: datetime) -> Decided:
        outcomes = await service.handle(MySqlPointRepository(connection), commands, now)
        return Decided(outcomes=[present(*pair) for pair in zip(commands, outcomes, strict=True)])

    return step
