"""Use cases of the orders: placing them, leading their sagas, reading one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from doorbuster.contracts.bodies import Body, OrderCreated
from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.cancelling import CancelOrder, CancelOutcome, decide_cancels
from doorbuster.orders.model import Order, PlaceOrder, Saga, begin, place
from doorbuster.orders.ports import Catalogue, NewOrders, OrderSource, SagaRepository
from doorbuster.orders.saga import Transition, UnexpectedSagaEvent, advance

LONGEST_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What became of commands, in their order, and the events that start the accepted orders' sagas."""

    outcomes: Sequence[Order | Refusal]
    events: Sequence[OrderCreated]


class OrderPlacement:
    """Accepts orders."""

    async def handle(
        self, orders: NewOrders, catalogue: Catalogue, commands: Sequence[PlaceOrder], now: datetime
    ) -> Placed:
        """Store the orders that can be accepted; return what became of each command."""
        wanted = {ProductId(line.product_id) for command in commands for line in command.lines}
        prices = await catalogue.find(wanted)
        with deciding():
            outcomes = place(prices, commands, now)
        accepted = [outcome for outcome in outcomes if isinstance(outcome, Order)]
        await orders.add([begin(order) for order in accepted])
        return Placed(outcomes=outcomes, events=[order.created() for order in accepted])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What became of cancels, in their order, and the events to send."""

    outcomes: Sequence[CancelOutcome]
    events: Sequence[Body]


class OrderCancelling:
    """Cancels orders for their buyers."""

    async def handle(self, repository: SagaRepository, commands: Sequence[CancelOrder], now: datetime) -> Cancelled:
        """Cancel what can be cancelled; locks orders and sagas as the flow manager does."""
        sagas = await repository.lock({command.order_id for command in commands})
        with deciding():
            decision = decide_cancels(sagas, commands, now)
        await repository.save(decision.transitions)
        events = [event for transition in decision.transitions for event in transition.events]
        return Cancelled(outcomes=decision.outcomes, events=events)


class OrderFlowService:
    """What the flow manager does with a batch: merges answers, and sends what follows (R14)."""

    async def handle(self, repository: SagaRepository, bodies: Sequence[Body], now: datetime) -> Sequence[Body]:
        """Lead the orders' sagas on; return the events to send."""
        sagas = await repository.lock({OrderId(body.order_id) for body in bodies})
        with deciding():
            transitions = _advanced(sagas, bodies, now)
        await repository.save(transitions)
        return [event for transition in transitions for event in transition.events]


class OrderQueries:
    """Reads of a buyer's own orders."""

    def __init__(self, source: OrderSource) -> None:
        """Read from this source."""
        self._source = source

    async def find(self, wanted: Sequence[tuple[UserId, OrderId]]) -> Sequence[Order | None]:
        """Return the order for each user and id, in their order; None if the user has no such order."""
        async with self._source.reading() as orders:
            found = await orders.find({order_id for _, order_id in wanted})
        return [_own(found.get(order_id), user_id) for user_id, order_id in wanted]

    async def page(
        self, user_id: UserId, *, before: OrderId | None = None, limit: int = LONGEST_PAGE
    ) -> Sequence[Order]:
        """Return a user's orders made before `before`, newest first; at most 100, also if `limit` is more."""
        async with self._source.reading() as orders:
            return await orders.page(user_id, before, min(limit, LONGEST_PAGE))


def _advanced(sagas: Mapping[OrderId, Saga], bodies: Sequence[Body], now: datetime) -> Sequence[Transition]:
    answers: dict[OrderId, list[Body]] = {}
    for body in bodies:
        answers.setdefault(OrderId(body.order_id), []).append(body)
    unknown = answers.keys() - sagas.keys()
    if unknown:
        raise UnexpectedSagaEvent(f"{len(unknown)} answered orders don't exist, one is {min(unknown)}")
    return [advance(sagas[order_id], those, now) for order_id, those in answers.items()]


def _own(order: Order | None, user_id: UserId) -> Order | None:
    return order if order is not None and order.user_id == user_id else None
