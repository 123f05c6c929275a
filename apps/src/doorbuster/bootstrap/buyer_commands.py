"""Puts the use cases of buyers together: commands with keys, carts, streams, history."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from doorbuster.bootstrap.batch_rows import rows_of_cancel, rows_of_cart_change, rows_of_checkout
from doorbuster.bootstrap.buying import CancelPresenter, cancel_step, cart_step, checkout_step
from doorbuster.bootstrap.commands import OrderPresenter
from doorbuster.carts.model import Cart, CartCommand, CheckOut
from doorbuster.carts.repository import MySqlCartSource
from doorbuster.carts.service import CartQueries
from doorbuster.infra.batches.answers import Refused
from doorbuster.infra.batches.coalesced_reads import OWN_READS, CoalescedReads
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.idempotent_batches import CommandStep, IdempotentBatches
from doorbuster.infra.batches.keyed_commands import KeyedCommands, never
from doorbuster.infra.batches.repeatable_commands import RepeatableCommands
from doorbuster.infra.batches.watched_reads import WatchedReads
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.outbox.wakeup_sender import WakeupSender
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.cancelling import CancelOrder
from doorbuster.orders.model import Order
from doorbuster.orders.repository import MySqlOrderSource
from doorbuster.points.history import EntryPosition
from doorbuster.points.model import Entry
from doorbuster.points.repository import MySqlBalanceSource
from doorbuster.points.service import EntryQueries

C = TypeVar("C")

_EntryPageKey = tuple[UserId, EntryPosition | None, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all of them stand on.

    Attributes:
        accepts: whether the outbox may grow (R17).
        deadline_seconds: so long a request waits for its outcome.
        new_id: makes ids of messages.
    """

    database: Database
    wakeups: WakeupSender
    accepts: Callable[[], bool]
    deadline_seconds: float
    new_id: Callable[[], UUID]


def keyed(
    ground: Ground,
    step: CommandStep[C],
    *,
    name: str,
    rows_of: Callable[[Keyed[C]], int],
    refuse: Callable[[Keyed[C]], Awaitable[Refused | None]] = never,
) -> KeyedCommands[C]:
    """Return a use case whose commands have idempotency keys; the relay is woken when one has stored messages.

    Args:
        ground: what it stands on.
        step: what is done with new commands.
        name: of the use case, for metrics.
        rows_of: how many rows a command may cost its transaction.
        refuse: returns an answer to a command that shall not come into a batch, else None (R4).
    """
    batches = IdempotentBatches(
        ground.database,
        step,
        ground.new_id,
        settle_seconds=ground.deadline_seconds,
        stored=ground.wakeups.send,
    )
    deadline = ground.deadline_seconds
    return KeyedCommands(batches.run, name=name, deadline_seconds=deadline, rows_of=rows_of, refuse=refuse)


def check_out(ground: Ground, present: OrderPresenter) -> KeyedCommands[CheckOut]:
    """Return the use case that makes orders of carts."""
    return keyed(ground, checkout_step(present, ground.accepts), name="check-out", rows_of=rows_of_checkout)


def cancel_order(ground: Ground, present: CancelPresenter) -> KeyedCommands[CancelOrder]:
    """Return the use case that cancels orders."""
    return keyed(ground, cancel_step(present), name="cancel-order", rows_of=rows_of_cancel)


def change_cart(ground: Ground) -> RepeatableCommands[CartCommand, Cart | Refusal]:
    """Return the use case that changes carts."""
    return RepeatableCommands(
        ground.database,
        cart_step(),
        name="change-cart",
        deadline_seconds=ground.deadline_seconds,
        rows_of=rows_of_cart_change,
    )


class OwnCarts:
    """Users' carts, on the primary (R5)."""

    def __init__(self, ground: Ground) -> None:
        """Read within the deadline."""
        self._carts: CoalescedReads[UserId, Cart] = CoalescedReads(
            CartQueries(MySqlCartSource(ground.database)).find,
            name="cart",
            limits=OWN_READS,
            deadline_seconds=ground.deadline_seconds,
        )

    async def find(self, user_id: UserId) -> Cart:
        """Return the user's cart, which may be empty."""
        return await self._carts.find(user_id, user=user_id) or Cart(user_id=user_id)

    async def drain(self) -> None:
        """Refuse new reads, and return when those that wait are done."""
        await self._carts.drain()


class OwnEntries:
    """Users' entries of points, on the primary (R5)."""

    def __init__(self, ground: Ground) -> None:
        """Read within the deadline."""
        self._queries = EntryQueries(MySqlBalanceSource(ground.database))
        self._pages: CoalescedReads[_EntryPageKey, Sequence[Entry]] = CoalescedReads(
            self._find, name="entry-page", limits=OWN_READS, deadline_seconds=ground.deadline_seconds
        )

    async def page(self, user_id: UserId, *, before: EntryPosition | None, limit: int) -> Sequence[Entry]:
        """Return the user's entries behind `before`, newest first."""
        return await self._pages.find((user_id, before, limit), user=user_id) or ()

    async def drain(self) -> None:
        """Refuse new reads, and return when those that wait are done."""
        await self._pages.drain()

    async def _find(self, keys: Collection[_EntryPageKey]) -> Mapping[_EntryPageKey, Sequence[Entry]]:
        # Each user's page is a query of its own; what the coalescer gives here is its bound.
        return {key: await self._queries.page(key[0], before=key[1], limit=key[2]) for key in keys}


def order_watch(database: Database) -> WatchedReads[OrderId, Order]:
    """Return the orders that streams wait for; whose they are was asked when a stream began."""

    async def find(order_ids: Collection[OrderId]) -> Mapping[OrderId, Order]:
        async with MySqlOrderSource(database).reading() as orders:
            return await orders.find(order_ids)

    return WatchedReads(find)
