"""A batch of messages as one transaction: processed ids, the step's rows, its events, dead letters (R7, R8)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.bodies import AnyBody
from doorbuster.contracts.topics import Group
from doorbuster.infra.batches.dead_letters import store_dead_letters
from doorbuster.infra.batches.processed import claim
from doorbuster.infra.batches.received import Received, distinct, isolate, receive, within_rows
from doorbuster.infra.jitter import pause
from doorbuster.infra.kafka.records import BatchResult, Record
from doorbuster.infra.mysql.transactions import Transactions, database_time
from doorbuster.infra.outbox.store import store
from doorbuster.kernel.errors import DoorbusterError, NotAccepted, OutcomeUnknown, PoisonMessage

log = structlog.get_logger()

# Here only what usually passes at once; the runtime tries for ever, with longer pauses.
_ATTEMPTS = 3
_LONGEST_PAUSE_SECONDS = 0.1
# R3: a larger transaction holds its locks, and every member that applies it, for too long.
MOST_ROWS = 2_000


class Step(Protocol):
    """What a business module does with a batch, inside the transaction."""

    async def __call__(
        self, connection: AsyncConnection, bodies: Sequence[AnyBody], now: datetime
    ) -> Sequence[AnyBody]:
        """Load and lock rows, decide purely, write rows; return the events to send.

        `bodies` are in the order of their arrival, none is known to the group yet, and there is at least one.

        Raises:
            PoisonMessage: a message in it can never succeed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Committed:
    """What was new in a part, and whether messages were stored for the relay."""

    fresh: Sequence[Received]
    stored: bool


def _one_row(_body: AnyBody) -> int:
    return 1


class MessageBatches:
    """Handles the records of one consumer group; each message has its effects exactly once."""

    def __init__(
        self,
        database: Transactions,
        group: Group,
        step: Step,
        *,
        new_id: Callable[[], UUID],
        rows_of: Callable[[AnyBody], int] = _one_row,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        """Bind a group to its step.

        Args:
            database: where everything is written.
            group: whose processed ids are kept.
            step: what is done with new messages.
            new_id: makes the ids of the messages that are sent.
            rows_of: how many rows a message may cost its transaction, beside its processed id.
            stored: told after each commit that stored messages for the relay; returns at once and never raises.
        """
        self._database = database
        self._group = group
        self._step = step
        self._new_id = new_id
        self._rows_of = rows_of
        self._stored = stored

    async def handle(self, records: Sequence[Record]) -> BatchResult:
        """Return after every record is done, known already, or a dead letter, and that is committed.

        What may cost more than 2,000 rows is several transactions, one after the other (R3). A batch with poison is
        halved until the poison is alone; each part is a transaction of its own. After an error the same records may be
        handed in again, whatever part of them was committed.

        Raises:
            NotAccepted: the rest was not written.
            OutcomeUnknown: perhaps it was.
        """
        received = distinct([receive(record) for record in records])
        # The last one is the next.
        parts = [*reversed(within_rows(received, self._rows_of, most=MOST_ROWS))]
        fresh: list[Received] = []
        while parts:
            part = parts.pop()
            try:
                committed = await self._settle(part)
            except PoisonMessage as exc:
                parts += reversed(isolate(part, exc))
            else:
                self._tell(committed)
                fresh += committed.fresh
        letters = len(_letters(fresh))
        return BatchResult(processed=len(fresh) - letters, duplicates=len(records) - len(fresh), dead_letters=letters)

    async def _settle(self, part: Sequence[Received]) -> _Committed:
        """Commit the part; the same part again while its outcome is unknown (R2)."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._commit(part)
            except OutcomeUnknown as exc:
                log.warning("batch_tried_again", group=self._group, records=len(part), error=str(exc))
            await pause(_LONGEST_PAUSE_SECONDS)
        return await self._commit(part)

    async def _commit(self, part: Sequence[Received]) -> _Committed:
        try:
            async with self._database.transaction() as connection:
                return await self._write(connection, part)
        except DoorbusterError:
            raise
        except Exception as exc:
            # R7: what isn't on the list of poison is tried again for ever, also when nobody knows what it is.
            log.exception("batch_failed", group=self._group, records=len(part))
            raise NotAccepted(f"the batch raised {type(exc).__name__}") from exc

    async def _write(self, connection: AsyncConnection, part: Sequence[Received]) -> _Committed:
        now = await database_time(connection)
        new_ids = await claim(connection, self._group, [received.claim for received in part], now)
        fresh = [received for received in part if received.claim in new_ids]
        bodies = [received.outcome for received in fresh if isinstance(received.outcome, AnyBody)]
        events = await self._step(connection, bodies, now) if bodies else ()
        await store(connection, events, now=now, new_id=self._new_id)
        letters = _letters(fresh)
        await store_dead_letters(connection, letters, group=self._group, now=now)
        return _Committed(fresh=fresh, stored=bool(events or letters))

    def _tell(self, committed: _Committed) -> None:
        if committed.stored:
            self._stored()
        for record, poison in _letters(committed.fresh):
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            cause = type(poison.__cause__ or poison).__name__
            log.error("message_dead_lettered", group=self._group, poison=type(poison).__name__, cause=cause, **place)


def _letters(fresh: Sequence[Received]) -> Sequence[tuple[Record, PoisonMessage]]:
    return [(each.record, each.outcome) for each in fresh if isinstance(each.outcome, PoisonMessage)]
