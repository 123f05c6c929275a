"""Commands that may be done twice without harm, such as PUT and DELETE: no keys, otherwise as R2 and R3 say.

A command says how something shall be, so doing it again changes nothing, and what a batch left behind needn't be known
before it is tried again. One consequence: while the first attempt's outcome is unknown, a later command of the same
user may come between both in another process. It then looks as if the repeated one had come last, which is what it
would be if the client had repeated it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.batches.coalescer import Coalescer
from doorbuster.infra.batches.settling import all_settled
from doorbuster.infra.mysql.transactions import Transactions, database_time

C = TypeVar("C")
C_contra = TypeVar("C_contra", contravariant=True)
O = TypeVar("O")  # noqa: E741  # what comes out
O_co = TypeVar("O_co", covariant=True)


class RepeatableStep(Protocol[C_contra, O_co]):
    """What a business module does with the commands, inside the transaction."""

    async def __call__(
        self, connection: AsyncConnection, commands: Sequence[C_contra], now: datetime
    ) -> Sequence[O_co]:
        """Lock rows, decide purely, write rows; return an outcome for each command, in their order.

        Raises:
            PoisonMessage: a command in it can never succeed.
        """
        ...


class RepeatableCommands(Generic[C, O]):
    """The way of one use case's commands into its batches, each one transaction."""

    def __init__(
        self,
        database: Transactions,
        step: RepeatableStep[C, O],
        *,
        name: str,
        deadline_seconds: float,
        rows_of: Callable[[C], int],
    ) -> None:
        """Put a coalescer in front of the step.

        Args:
            database: where everything is written.
            step: what is done with a batch.
            name: of the use case, for metrics.
            deadline_seconds: so long a command waits for its outcome, and a batch for its own.
            rows_of: how many rows a command may cost its transaction.
        """
        self._database = database
        self._step = step
        self._deadline_seconds = deadline_seconds
        self._coalescer: Coalescer[C, O] = Coalescer(self._run, name=name, rows_of=rows_of)

    async def run(self, command: C, *, user: int) -> O:
        """Return the command's outcome.

        Raises:
            NotAccepted: nothing was written; Overloaded says why.
            OutcomeUnknown: perhaps it was; the same command may be sent again.
        """
        return await self._coalescer.submit(command, user=user, deadline_seconds=self._deadline_seconds)

    async def drain(self) -> None:
        """Refuse new commands, and return when those that wait have their outcome."""
        await self._coalescer.drain()

    async def _run(self, part: Sequence[C]) -> Sequence[O | Exception]:
        return await all_settled(part, self._write, settle_seconds=self._deadline_seconds)

    async def _write(self, part: Sequence[C]) -> Sequence[O]:
        async with self._database.transaction() as connection:
            return await self._step(connection, part, await database_time(connection))
