"""Commands under idempotency keys, one by one on the outside and in batches on the inside (R1, R3)."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Generic, TypeVar

from doorbuster.infra.batches.answers import Outcome, Refused
from doorbuster.infra.batches.coalescer import Coalescer
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.in_flight import InFlight
from doorbuster.kernel.errors import BrokerUnavailable, DoorbusterError

C = TypeVar("C")

# What a step says of new commands while messages don't flow (R17): nothing is stored and the key is free again, while
# repeats of earlier commands in the same batch get their answer.
NOT_WITHOUT_BROKER = Refused(status=HTTPStatus.SERVICE_UNAVAILABLE, body=b"")


async def never(_keyed: Keyed[C]) -> Refused | None:
    """Refuse no command."""
    return None


class KeyedCommands(Generic[C]):
    """The way of one use case's commands into its batches."""

    def __init__(
        self,
        run_batch: Callable[[Sequence[Keyed[C]]], Awaitable[Sequence[Outcome | DoorbusterError]]],
        *,
        name: str,
        deadline_seconds: float,
        rows_of: Callable[[Keyed[C]], int],
        refuse: Callable[[Keyed[C]], Awaitable[Refused | None]] = never,
    ) -> None:
        """Put a coalescer and the map of keys in front of `run_batch`.

        Args:
            run_batch: commands in, outcomes out, in their order.
            name: of the use case, for metrics.
            deadline_seconds: so long a command waits for its outcome.
            rows_of: how many rows a command may cost its transaction.
            refuse: returns an answer to a command that shall not come into a batch, else None (R4). The key is free
                again afterwards, and the answer isn't stored.
        """
        self._deadline_seconds = deadline_seconds
        self._refuse = refuse
        self._in_flight: InFlight[Keyed[C], Outcome | DoorbusterError] = InFlight(run_batch)
        self._coalescer: Coalescer[Keyed[C], Outcome] = Coalescer(
            self._in_flight.run_batch, name=name, size_of=lambda keyed: keyed.body_bytes, rows_of=rows_of
        )

    async def run(self, keyed: Keyed[C], *, user: int) -> Outcome:
        """Return the command's outcome, or that of an earlier command with its key.

        Raises:
            KeyInFlight: another command with its key is being worked on.
            NotAccepted: nothing was written; Overloaded and BrokerUnavailable say why.
            OutcomeUnknown: perhaps it was.
        """
        with self._in_flight.claimed(keyed):
            refused = await self._refuse(keyed)
            if refused is not None:
                return refused
            outcome = await self._coalescer.submit(keyed, user=user, deadline_seconds=self._deadline_seconds)
        if outcome == NOT_WITHOUT_BROKER:
            raise BrokerUnavailable("messages wait for too long")
        return outcome

    async def drain(self) -> None:
        """Refuse new commands, and return when those that wait have their outcome."""
        await self._coalescer.drain()
