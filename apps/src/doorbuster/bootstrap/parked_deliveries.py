"""Puts together what a person does with parked deliveries: look at them, make them due again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from doorbuster.deliveries.parked import ParkedDelivery, find_parked, make_due_again
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.ids import OrderId
from doorbuster.settings import Settings

# One statement after the other.
CONNECTIONS = 1
# Due at once by one command, in one transaction.
MOST_AT_ONCE = 1_000

log = structlog.get_logger()


class ParkedDeliveries:
    """What a person does with parked deliveries. All of it can be repeated."""

    def __init__(self, database: Transactions) -> None:
        """Take the database."""
        self._database = database

    async def first(self, most: int) -> Sequence[ParkedDelivery]:
        """Return so many of them at most; raises what a Database's transaction does."""
        async with self._database.transaction() as connection:
            return await find_parked(connection, most=most)

    async def retry(self, order_ids: Sequence[OrderId] | None) -> int:
        """Make deliveries due again, all parked ones without ids, MOST_AT_ONCE at most; return how many are.

        Raises:
            NotAccepted: none is.
            OutcomeUnknown: perhaps they are.
        """
        async with self._database.transaction() as connection:
            if order_ids is None:
                order_ids = [each.order_id for each in await find_parked(connection, most=MOST_AT_ONCE)]
            retried = await make_due_again(connection, order_ids)
        log.info("deliveries_made_due", count=retried)
        return retried


@asynccontextmanager
async def parked_deliveries(settings: Settings) -> AsyncIterator[ParkedDeliveries]:
    """Lend the parked deliveries of these settings' database."""
    database = Database(settings.mysql.model_copy(update={"pool_size": CONNECTIONS}))
    try:
        yield ParkedDeliveries(database)
    finally:
        await database.close()
