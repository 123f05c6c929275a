"""A batch of HTTP commands as one transaction: keys first, the step's rows, answers, events (R1, R2, R8)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.batches.answers import Answer, BodyMismatch, Decided, Outcome, Refused
from doorbuster.infra.batches.idempotency_keys import Keyed, KeyRow, claim, forget, remember
from doorbuster.infra.batches.settling import all_settled
from doorbuster.infra.mysql.transactions import Transactions, database_time
from doorbuster.infra.outbox.store import store
from doorbuster.kernel.errors import DoorbusterError, NotAccepted

C = TypeVar("C")
C_contra = TypeVar("C_contra", contravariant=True)


class CommandStep(Protocol[C_contra]):
    """What a business module does with new commands, inside the transaction."""

    async def __call__(self, connection: AsyncConnection, commands: Sequence[C_contra], now: datetime) -> Decided:
        """Load and lock rows, decide purely, write rows; return an outcome for each command, and the events.

        Raises:
            PoisonMessage: a command in it can never succeed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """What became of a key: `body_hash` is that of whoever the outcome belongs to."""

    body_hash: bytes
    outcome: Answer | Refused | DoorbusterError


class IdempotentBatches(Generic[C]):
    """Runs batches of commands; a key has one effect, and every repeat of it the same answer."""

    def __init__(
        self,
        database: Transactions,
        step: CommandStep[C],
        new_id: Callable[[], UUID],
        *,
        settle_seconds: float = 5.0,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        """Bind a use case to its step.

        Args:
            database: where everything is written.
            step: what is done with new commands.
            new_id: makes the ids of the messages that are sent.
            settle_seconds: so long a batch whose outcome is unknown is tried again; as long as callers wait.
            stored: told after each commit that stored messages for the relay; returns at once and never raises.
        """
        self._database = database
        self._step = step
        self._new_id = new_id
        self._settle_seconds = settle_seconds
        self._stored = stored

    async def run(self, batch: Sequence[Keyed[C]]) -> Sequence[Outcome | DoorbusterError]:
        """Return for each command, in their order, its outcome, or the error that its caller is to see.

        Errors are NotAccepted (nothing was written), OutcomeUnknown (perhaps it was) and PoisonMessage (this command
        can never succeed). Of two commands with one key the second is a repeat of the first.
        """
        first: dict[bytes, Keyed[C]] = {}
        for keyed in batch:
            first.setdefault(keyed.key_id, keyed)
        if not first:
            return ()
        outcomes = await all_settled(tuple(first.values()), self._commit, settle_seconds=self._settle_seconds)
        settled = dict(zip(first, outcomes, strict=True))
        return [_outcome(keyed, settled[keyed.key_id]) for keyed in batch]

    async def _commit(self, part: Sequence[Keyed[C]]) -> Sequence[_Settled]:
        async with self._database.transaction() as connection:
            settled, stored = await self._write(connection, part)
        if stored:
            self._stored()
        return [settled[keyed.key_id] for keyed in part]

    async def _write(
        self, connection: AsyncConnection, part: Sequence[Keyed[C]]
    ) -> tuple[Mapping[bytes, _Settled], bool]:
        """Return what became of each key, and whether messages were stored for the relay."""
        now = await database_time(connection)
        rows = await claim(connection, part, now)
        settled = {keyed.key_id: replay for keyed in part if (replay := _replay(keyed, rows[keyed.key_id])) is not None}
        new = [keyed for keyed in part if keyed.key_id not in settled]
        if not new:
            return settled, False
        decided = await self._step(connection, [keyed.command for keyed in new], now)
        outcomes = list(zip(new, decided.outcomes, strict=True))
        await remember(connection, [(key, each) for key, each in outcomes if isinstance(each, Answer)], now)
        await forget(connection, [key for key, each in outcomes if isinstance(each, Refused)])
        await store(connection, decided.events, now=now, new_id=self._new_id)
        settled |= {key.key_id: _Settled(body_hash=key.body_hash, outcome=each) for key, each in outcomes}
        return settled, bool(decided.events)


def _replay(keyed: Keyed[C], row: KeyRow) -> _Settled | None:
    """Return what an earlier transaction left for the key; None when there was none.

    An answer with our own attempt is our own COMMIT whose answer got lost.
    """
    if row.answer is not None:
        return _Settled(body_hash=row.body_hash, outcome=row.answer)
    if row.attempt != keyed.attempt:
        # Can't be: a row is answered or gone when its transaction ends, and we hold its lock.
        return _Settled(body_hash=row.body_hash, outcome=NotAccepted("the key has no answer yet"))
    return None


def _outcome(keyed: Keyed[C], settled: _Settled | DoorbusterError) -> Outcome | DoorbusterError:
    if isinstance(settled, DoorbusterError):
        return settled
    if isinstance(settled.outcome, DoorbusterError) or keyed.body_hash == settled.body_hash:
        return settled.outcome
    return BodyMismatch()
