"""A batch of HTTP commands as one transaction: keys first, the step's rows, answers, events (R1, R2, R8)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.batches.answers import Answer, BodyMismatch, Decided, Outcome, Refused
from doorbuster.infra.batches.idempotency_keys import Keyed, KeyRow, claim, forget, remember
from doorbuster.infra.jitter import pause
from doorbuster.infra.mysql.transactions import Transactions, database_time
from doorbuster.infra.outbox.store import store
from doorbuster.kernel.errors import DoorbusterError, NotAccepted, OutcomeUnknown, PoisonMessage

log = structlog.get_logger()

C = TypeVar("C")
C_contra = TypeVar("C_contra", contravariant=True)

_LONGEST_PAUSE_SECONDS = 0.1


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
    ) -> None:
        """Bind a use case to its step.

        Args:
            database: where everything is written.
            step: what is done with new commands.
            new_id: makes the ids of the messages that are sent.
            settle_seconds: so long a batch whose outcome is unknown is tried again; as long as callers wait.
        """
        self._database = database
        self._step = step
        self._new_id = new_id
        self._settle_seconds = settle_seconds

    async def run(self, batch: Sequence[Keyed[C]]) -> Sequence[Outcome | DoorbusterError]:
        """Return for each command, in their order, its outcome, or the error that its caller is to see.

        Errors are NotAccepted (nothing was written), OutcomeUnknown (perhaps it was) and PoisonMessage (this command
        can never succeed). Of two commands with one key the second is a repeat of the first.
        """
        first: dict[bytes, Keyed[C]] = {}
        for keyed in batch:
            first.setdefault(keyed.key_id, keyed)
        settled = await self._run(tuple(first.values())) if first else {}
        return [_outcome(keyed, settled[keyed.key_id]) for keyed in batch]

    async def _run(self, part: Sequence[Keyed[C]]) -> Mapping[bytes, _Settled]:
        """Settle the part; one with a command that can never succeed is halved until that command is alone."""
        try:
            return await self._settle(part)
        except PoisonMessage as exc:
            if len(part) > 1:
                middle = len(part) // 2
                return {**await self._run(part[:middle]), **await self._run(part[middle:])}
            log.exception("command_failed", poison=type(exc).__name__)
            return _all_failed(part, exc)
        except (NotAccepted, OutcomeUnknown) as exc:
            return _all_failed(part, exc)

    async def _settle(self, part: Sequence[Keyed[C]]) -> Mapping[bytes, _Settled]:
        """Commit the part; the same part again, never split, while its outcome is unknown and there is time (R2)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settle_seconds
        unknown: OutcomeUnknown | None = None
        while True:
            try:
                async with self._database.transaction() as connection:
                    return await self._write(connection, part)
            except OutcomeUnknown as exc:
                unknown = exc
            except NotAccepted:
                # Once a COMMIT was sent, a later attempt that writes nothing says nothing about the first one.
                if unknown is None:
                    raise
            log.warning("outcome_unknown", commands=len(part))
            if loop.time() >= deadline:
                raise unknown
            await pause(_LONGEST_PAUSE_SECONDS)

    async def _write(self, connection: AsyncConnection, part: Sequence[Keyed[C]]) -> Mapping[bytes, _Settled]:
        now = await database_time(connection)
        rows = await claim(connection, part, now)
        settled = {keyed.key_id: replay for keyed in part if (replay := _replay(keyed, rows[keyed.key_id])) is not None}
        new = [keyed for keyed in part if keyed.key_id not in settled]
        if new:
            decided = await self._step(connection, [keyed.command for keyed in new], now)
            outcomes = list(zip(new, decided.outcomes, strict=True))
            await remember(connection, [(key, each) for key, each in outcomes if isinstance(each, Answer)], now)
            await forget(connection, [key for key, each in outcomes if isinstance(each, Refused)])
            await store(connection, decided.events, now=now, new_id=self._new_id)
            settled |= {key.key_id: _Settled(body_hash=key.body_hash, outcome=each) for key, each in outcomes}
        return settled


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


def _outcome(keyed: Keyed[C], settled: _Settled) -> Outcome | DoorbusterError:
    if isinstance(settled.outcome, DoorbusterError) or keyed.body_hash == settled.body_hash:
        return settled.outcome
    return BodyMismatch()


def _all_failed(part: Sequence[Keyed[C]], exc: DoorbusterError) -> Mapping[bytes, _Settled]:
    return {keyed.key_id: _Settled(body_hash=keyed.body_hash, outcome=exc) for keyed in part}
