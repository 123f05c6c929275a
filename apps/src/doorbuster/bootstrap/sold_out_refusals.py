"""Turns away orders of what is sold out, before anything is written (R4)."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeAlias

from doorbuster.infra.batches.answers import Refused
from doorbuster.infra.batches.coalesced_reads import PUBLIC_READS, CoalescedReads
from doorbuster.infra.batches.idempotency_keys import Keyed, find_known
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.telemetry import ORDERS_SOLD_OUT
from doorbuster.kernel.ids import ProductId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.model import PlaceOrder
from doorbuster.orders.sold_out import refuse_sold_out

SoldOutPresenter: TypeAlias = Callable[[Refusal], Refused]


class SoldOutRefusals:
    """Asks the hint about each order; whoever repeats an order that was decided gets the answer that is stored (R1)."""

    def __init__(
        self,
        sold_out: Callable[[], Awaitable[Collection[ProductId]]],
        known: Callable[[Collection[bytes]], Awaitable[Mapping[bytes, bool]]],
        *,
        present: SoldOutPresenter,
        deadline_seconds: float,
    ) -> None:
        """Take what is known.

        Args:
            sold_out: returns the products that are known to have no units; never raises.
            known: returns True for each of the keys whose orders were decided before; asked only about those that
                would be refused.
            present: makes the answer.
            deadline_seconds: so long that question waits.
        """
        self._sold_out = sold_out
        self._present = present
        self._keys: CoalescedReads[bytes, bool] = CoalescedReads(
            known, name="key-of-sold-out", limits=PUBLIC_READS, deadline_seconds=deadline_seconds
        )

    async def refuse(self, keyed: Keyed[PlaceOrder]) -> Refused | None:
        """Return the refusal of an order; None if it may go on, or was decided before.

        It isn't stored, and says nothing of a try with the same key that another process is working on just now.

        Raises:
            NotAccepted: the primary can't be asked whether the order was decided before.
        """
        refusal = refuse_sold_out(keyed.command.lines, await self._sold_out())
        if refusal is None or await self._keys.find(keyed.key_id):
            return None
        ORDERS_SOLD_OUT.inc()
        return self._present(refusal)

    async def drain(self) -> None:
        """Refuse new questions, and return when those that wait are answered."""
        await self._keys.drain()


def known_on_primary(database: Database) -> Callable[[Collection[bytes]], Awaitable[Mapping[bytes, bool]]]:
    """Return what finds keys with a committed row on the primary, by one query."""

    async def known(key_ids: Collection[bytes]) -> Mapping[bytes, bool]:
        async with database.reading() as connection:
            return dict.fromkeys(await find_known(connection, key_ids), True)

    return known
