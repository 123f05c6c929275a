"""What a buyer does with carts and orders, as steps of batches: each binds services to repositories."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.bootstrap.commands import OrderPresenter, while_accepted
from doorbuster.carts.model import Cart, CartCommand, CheckOut
from doorbuster.carts.repository import MySqlCartRepository
from doorbuster.carts.service import CartService, CheckoutService
from doorbuster.contracts.bodies import OrderCreated
from doorbuster.infra.batches.answers import Answer, Decided, Refused
from doorbuster.infra.batches.idempotent_batches import CommandStep
from doorbuster.infra.batches.repeatable_commands import RepeatableStep
from doorbuster.kernel.ids import ProductId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.cancelling import CancelOrder, CancelOutcome
from doorbuster.orders.model import Order, PlaceOrder, WantedLine
from doorbuster.orders.repository import MySqlOrderRepository
from doorbuster.orders.service import OrderCancelling, OrderPlacement
from doorbuster.products.repository import MySqlCatalogueRepository

CancelPresenter: TypeAlias = Callable[[CancelOrder, CancelOutcome], Answer | Refused]


def cart_step() -> RepeatableStep[CartCommand, Cart | Refusal]:
    """Return the step that changes carts."""
    service = CartService()

    async def step(
        connection: AsyncConnection, commands: Sequence[CartCommand], now: datetime
    ) -> Sequence[Cart | Refusal]:
        return await service.handle(MySqlCartRepository(connection), _KnownProducts(connection), commands, now)

    return step


def checkout_step(present: OrderPresenter, accepts: Callable[[], bool]) -> CommandStep[CheckOut]:
    """Return the step that makes orders of carts, by the same placement as that of orders without a cart.

    Args:
        present: makes the answer to an order.
        accepts: whether the outbox may grow (R17).
    """
    service = CheckoutService()

    async def step(connection: AsyncConnection, commands: Sequence[CheckOut], now: datetime) -> Decided:
        placing = _Placing(connection)
        outcomes = await service.handle(MySqlCartRepository(connection), placing, commands, now)
        answers = [
            present(_order_of(command, None), outcome) for command, outcome in zip(commands, outcomes, strict=True)
        ]
        return Decided(outcomes=answers, events=placing.events)

    return while_accepted(step, accepts)


def cancel_step(present: CancelPresenter) -> CommandStep[CancelOrder]:
    """Return the step that cancels orders. A full outbox doesn't hinder it: there are fewer cancels than orders.

    Args:
        present: makes the answer to a cancel.
    """
    service = OrderCancelling()

    async def step(connection: AsyncConnection, commands: Sequence[CancelOrder], now: datetime) -> Decided:
        cancelled = await service.handle(MySqlOrderRepository(connection), commands, now)
        answers = [present(*pair) for pair in zip(commands, cancelled.outcomes, strict=True)]
        return Decided(outcomes=answers, events=cancelled.events)

    return step


class _KnownProducts:
    """The catalogue on the connection of a transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._catalogue = MySqlCatalogueRepository(connection)

    async def find(self, product_ids: Collection[ProductId]) -> Collection[ProductId]:
        return (await self._catalogue.find(product_ids)).keys()


class _Placing:
    """Orders of carts, in the transaction in which the carts are locked."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.events: Sequence[OrderCreated] = ()

    async def place(
        self, checkouts: Sequence[CheckOut], carts: Mapping[UserId, Cart], now: datetime
    ) -> Sequence[Order | Refusal]:
        commands = [_order_of(checkout, carts[checkout.user_id]) for checkout in checkouts]
        placed = await OrderPlacement().handle(
            MySqlOrderRepository(self._connection), MySqlCatalogueRepository(self._connection), commands, now
        )
        self.events = placed.events
        return placed.outcomes


def _order_of(checkout: CheckOut, cart: Cart | None) -> PlaceOrder:
    lines = () if cart is None else cart.lines
    return PlaceOrder(
        order_id=checkout.order_id,
        user_id=checkout.user_id,
        lines=tuple(WantedLine(product_id=line.product_id, quantity=line.quantity) for line in lines),
        coupon_id=checkout.coupon_id,
    )
