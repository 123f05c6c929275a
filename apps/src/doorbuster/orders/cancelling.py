"""A buyer gives an order up while it is PENDING: the decision, by the same transition as every other cancel (R14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.model import CancelReason, Order, OrderStatus, Saga
from doorbuster.orders.saga import Transition, request_cancel

ALREADY_PAID = Refusal(code="already-paid", detail="The order is PAID; it can't be cancelled any more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """A buyer's command; the route minted `cancellation_id` once, so a repeat carries the same (R1, R2)."""

    cancellation_id: UUID
    order_id: OrderId
    user_id: UserId


CancelOutcome = Order | Refusal | None
"""The order just after it, FAILED or still PENDING; why it isn't cancelled; None if the user has no such order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDecision:
    """What a batch changes; `outcomes` are in the order of the commands, of each order there is one transition."""

    outcomes: tuple[CancelOutcome, ...]
    transitions: tuple[Transition, ...]


def decide_cancels(sagas: Mapping[OrderId, Saga], commands: Sequence[CancelOrder], now: datetime) -> CancelDecision:
    """Return what the cancels change.

    Before the payment was requested an order FAILED at once. After that only the payment group decides, so the order
    stays PENDING, and becomes FAILED or PAID when it has answered.

    Args:
        sagas: those that exist of all commands' orders.
        commands: what buyers ask for.
        now: the database's time (R19).
    """
    transitions: dict[OrderId, Transition] = {}
    outcomes: list[CancelOutcome] = []
    for command in commands:
        saga = sagas.get(command.order_id)
        if saga is None or saga.order.user_id != command.user_id:
            outcomes.append(None)
            continue
        # A second cancel meets what the first one made of the saga, and that changes nothing any more.
        transition = transitions.setdefault(command.order_id, request_cancel(saga, CancelReason.BUYER, now))
        order = transition.after.order
        outcomes.append(ALREADY_PAID if order.status is OrderStatus.PAID else order)
    return CancelDecision(outcomes=tuple(outcomes), transitions=tuple(transitions.values()))
