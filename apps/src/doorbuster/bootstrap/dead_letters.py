"""Puts the work on dead letters together: find them, send them again, discard them.

Rows in MySQL are the list, not the topics: a decision and its effect are one transaction then, so a message is sent
again once however often somebody asks for it, and all of it works while Kafka is gone (ADR 0022).
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from doorbuster.infra.batches.dead_letters import LetterState
from doorbuster.infra.batches.letter_decisions import DeadLetter, Refusal, why_not_discarded, why_not_replayed
from doorbuster.infra.batches.letter_rows import (
    Wanted,
    count_and_newest,
    find_letter,
    ids_between,
    lock_letters,
    page_before,
    send_again,
    settle_letters,
)
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.transactions import Transactions, database_time
from doorbuster.settings import Settings

CONNECTIONS = 1
# A message has up to 256 KiB. The log has it three times, before and after the note and in the outbox, and the group
# takes transactions of up to 20 MiB (R13).
LETTERS_IN_TRANSACTION = 20

Judge = Callable[[DeadLetter], Refusal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one dead letter: `refusal` is None when it was done, else why it wasn't."""

    letter_id: int
    refusal: Refusal | None = None


class DeadLetterDesk:
    """Finds dead letters and carries out what a person decides about them."""

    def __init__(self, database: Transactions) -> None:
        """Use the database, which stays its owner's."""
        self._database = database

    async def page(self, wanted: Wanted, *, before: int | None, most: int) -> Sequence[DeadLetter]:
        """Return the newest ones below the id `before`; raises what a transaction does."""
        async with self._database.transaction() as connection:
            return await page_before(connection, wanted, before=before, most=most)

    async def find(self, letter_id: int) -> DeadLetter | None:
        """Return one with its payload, or None; raises what a transaction does."""
        async with self._database.transaction() as connection:
            return await find_letter(connection, letter_id)

    async def count(self, wanted: Wanted) -> tuple[int, int]:
        """Return how many there are and the newest one's id; raises what a transaction does."""
        async with self._database.transaction() as connection:
            return await count_and_newest(connection, wanted)

    async def replay(self, ids: Collection[int], *, again: bool = False) -> Sequence[Outcome]:
        """Send the messages of these again, and return what became of each, ascending.

        Raises:
            NotAccepted: the rest was not sent.
            OutcomeUnknown: some may be stored; asked again, what was sent is refused.
        """
        outcomes: list[Outcome] = []
        for some in _portions(ids):
            outcomes += await self._replay_some(some, lambda letter: why_not_replayed(letter, again=again))
        return outcomes

    async def replay_all(self, wanted: Wanted, *, newest: int) -> AsyncIterator[Sequence[Outcome]]:
        """Send all that are wanted up to the id `newest`, oldest first, and yield what became of each portion.

        Those that come meanwhile are left for another time, so it has an end. Raises as `replay` does.
        """
        after = 0
        while True:
            async with self._database.transaction() as connection:
                ids = await ids_between(connection, wanted, after=after, newest=newest, most=LETTERS_IN_TRANSACTION)
            if not ids:
                return
            after = ids[-1]
            yield await self.replay(ids)

    async def discard(self, ids: Collection[int], *, reason: str) -> Sequence[Outcome]:
        """Note that these are to stay undone, and why, and return what became of each, ascending.

        Raises what a transaction does; some may be noted then, and are refused when asked again.
        """
        outcomes: list[Outcome] = []
        for some in _portions(ids):
            outcomes += await self._discard_some(some, reason)
        return outcomes

    async def _discard_some(self, ids: Collection[int], reason: str) -> Sequence[Outcome]:
        async with self._database.transaction() as connection:
            letters = await lock_letters(connection, ids)
            done, outcomes = _judged(ids, letters, why_not_discarded)
            now = await database_time(connection)
            await settle_letters(connection, done, state=LetterState.DISCARDED, reason=reason, now=now)
        return outcomes

    async def _replay_some(self, ids: Collection[int], judge: Judge) -> Sequence[Outcome]:
        async with self._database.transaction() as connection:
            letters = await lock_letters(connection, ids)
            done, outcomes = _judged(ids, letters, judge)
            await send_again(connection, done, now=await database_time(connection))
        return outcomes


@asynccontextmanager
async def dead_letter_desk(settings: Settings) -> AsyncIterator[DeadLetterDesk]:
    """Yield the desk; its connection ends with the context."""
    database = Database(settings.mysql.model_copy(update={"pool_size": CONNECTIONS}))
    try:
        yield DeadLetterDesk(database)
    finally:
        await database.close()


def _portions(ids: Collection[int]) -> Iterator[Sequence[int]]:
    ordered = sorted(set(ids))
    for first in range(0, len(ordered), LETTERS_IN_TRANSACTION):
        yield ordered[first : first + LETTERS_IN_TRANSACTION]


def _judged(
    ids: Collection[int], letters: Sequence[DeadLetter], judge: Judge
) -> tuple[Sequence[DeadLetter], Sequence[Outcome]]:
    """Return those that it may be done to, and the outcome of each id."""
    refusals = {letter.id: judge(letter) for letter in letters}
    missing = Refusal(reason="there is none of this id; `list --state all` shows those that are kept (10 days)")
    outcomes = [Outcome(letter_id=each, refusal=refusals.get(each, missing)) for each in sorted(set(ids))]
    return [letter for letter in letters if refusals[letter.id] is None], outcomes
