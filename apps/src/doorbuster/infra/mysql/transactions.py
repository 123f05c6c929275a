"""What a batch needs of the database: one transaction, and the time by its clock (R19)."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.schema import Instant

# Not NOW(6): that is in the session's time zone, and this one is right whatever that is.
_NOW = select(func.utc_timestamp(6, type_=Instant()))


class Transactions(Protocol):
    """Opens transactions on the primary."""

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Return one READ COMMITTED transaction: left normally it commits, left by an exception it rolls back.

        Raises:
            PrimaryUnavailable: nothing was written.
            OutcomeUnknown: COMMIT was sent and no answer came.
            DataRefused: the database refused the values.
        """
        ...


async def database_time(connection: AsyncConnection) -> datetime:
    """Return the time by the database's clock, in UTC, with microseconds."""
    moment: datetime = (await connection.execute(_NOW)).scalar_one()
    return moment
