"""A database whose answers to COMMIT get lost, as often and in the way that a test says (R2)."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.errors import OutcomeUnknown, PrimaryUnavailable


class Fate(StrEnum):
    """What becomes of a transaction."""

    ANSWERED = "answered"
    COMMITTED_UNANSWERED = "committed-unanswered"
    ROLLED_BACK_UNANSWERED = "rolled-back-unanswered"
    UNAVAILABLE = "unavailable"


class _RolledBack(Exception):
    pass


class LostAnswers:
    """Transactions of a real database with a fate each; after the last one all are answered."""

    def __init__(self, database: Transactions, fates: Iterable[Fate]) -> None:
        self._database = database
        self._fates = iter(fates)
        self.transactions = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.transactions += 1
        fate = next(self._fates, Fate.ANSWERED)
        if fate is Fate.UNAVAILABLE:
            raise PrimaryUnavailable("nobody answers")
        with suppress(_RolledBack):
            async with self._database.transaction() as connection:
                yield connection
                _end(fate)
        if fate is not Fate.ANSWERED:
            raise OutcomeUnknown("the answer to COMMIT got lost")


def _end(fate: Fate) -> None:
    if fate is Fate.ROLLED_BACK_UNANSWERED:
        raise _RolledBack
