"""Dead letters as rows: pages of them, and what was decided, each decision in one transaction with its effect (R7)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.batches.dead_letters import LetterState
from doorbuster.infra.batches.letter_decisions import DeadLetter, readable
from doorbuster.infra.mysql.tables import dead_letters, outbox, processed_messages

# The type of a message that this release can't read either.
UNREADABLE_TYPE = "replayed"
_COLUMNS = dead_letters.c
_IN_A_LIST = [column for column in _COLUMNS if column is not _COLUMNS.payload]
_PROCESSED = tuple_(processed_messages.c.consumer_group, processed_messages.c.message_id)
# A small table would rather be read whole, with locks on all of it.
_FORGET = delete(processed_messages).prefix_with("/*+ INDEX(processed_messages PRIMARY) */")
_SIZE = func.length(_COLUMNS.payload).label("payload_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which dead letters; None means all of them.

    Attributes:
        topic: the topic that they were read from.
    """

    state: LetterState | None = LetterState.OPEN
    topic: str | None = None
    group: str | None = None


async def page_before(
    connection: AsyncConnection, wanted: Wanted, *, before: int | None, most: int
) -> Sequence[DeadLetter]:
    """Return the newest ones below the id `before`, without their payloads."""
    below = [] if before is None else [_COLUMNS.id < before]
    listed: Select[Any] = select(*_IN_A_LIST, _SIZE)
    statement = listed.where(*_matching(wanted), *below).order_by(_COLUMNS.id.desc()).limit(most)
    return [_letter(row, None) for row in await connection.execute(statement)]


async def ids_between(
    connection: AsyncConnection, wanted: Wanted, *, after: int, newest: int, most: int
) -> Sequence[int]:
    """Return the oldest ids above `after`, up to `newest`."""
    statement = (
        select(_COLUMNS.id)
        .where(*_matching(wanted), _COLUMNS.id > after, _COLUMNS.id <= newest)
        .order_by(_COLUMNS.id)
        .limit(most)
    )
    return list((await connection.execute(statement)).scalars())


async def count_and_newest(connection: AsyncConnection, wanted: Wanted) -> tuple[int, int]:
    """Return how many there are, and the newest one's id; 0 when there is none."""
    statement = select(func.count(), func.coalesce(func.max(_COLUMNS.id), 0)).where(*_matching(wanted))
    count, newest = (await connection.execute(statement)).one()
    return int(count), int(newest)


async def find_letter(connection: AsyncConnection, letter_id: int) -> DeadLetter | None:
    """Return one with its payload; None when there is none of this id."""
    row = (await connection.execute(_whole().where(_COLUMNS.id == letter_id))).one_or_none()
    return None if row is None else _letter(row, bytes(row.payload))


async def lock_letters(connection: AsyncConnection, ids: Collection[int]) -> Sequence[DeadLetter]:
    """Return those that exist, with their payloads, locked, ascending."""
    statement = _whole().where(_COLUMNS.id.in_(sorted(ids))).order_by(_COLUMNS.id).with_for_update()
    return [_letter(row, bytes(row.payload)) for row in await connection.execute(statement)]


async def send_again(connection: AsyncConnection, letters: Sequence[DeadLetter], *, now: datetime) -> None:
    """Store the locked letters' messages for the relay as they were, and note it.

    The group that gave a message up forgets that it has seen it; the others know it still. So it is judged again by
    that group alone, unless nobody could read it: then by all groups of the topic.
    """
    if not letters:
        return
    await _forget_processed(connection, letters)
    await settle_letters(connection, letters, state=LetterState.REPLAYED, reason=None, now=now)
    await connection.execute(insert(outbox), [_message(letter, now) for letter in letters])


async def settle_letters(
    connection: AsyncConnection, letters: Sequence[DeadLetter], *, state: LetterState, reason: str | None, now: datetime
) -> None:
    """Note what was decided about locked letters."""
    if not letters:
        return
    sent = 1 if state is LetterState.REPLAYED else 0
    changes = {"state": state.value, "reason": reason, "decided_at": now, "replays": _COLUMNS.replays + sent}
    ids = [letter.id for letter in letters]
    await connection.execute(update(dead_letters).where(_COLUMNS.id.in_(ids)).values(changes))


async def _forget_processed(connection: AsyncConnection, letters: Sequence[DeadLetter]) -> None:
    # By one statement, which locks them in the order of their key, as the groups do (R8).
    read = [(letter.group, readable(letter.payload or b"")) for letter in letters]
    keys = sorted({(group, message.id) for group, message in read if message is not None})
    if keys:
        await connection.execute(_FORGET.where(_PROCESSED.in_(keys)))


def _message(letter: DeadLetter, now: datetime) -> dict[str, object]:
    message = readable(letter.payload or b"")
    return {
        "topic": letter.topic,
        "message_key": letter.key,
        "message_type": UNREADABLE_TYPE if message is None else message.body.type,
        "payload": letter.payload,
        "headers": {"replay-of": str(letter.id)},
        "created_at": now,
    }


def _matching(wanted: Wanted) -> list[ColumnElement[bool]]:
    choices = (
        (_COLUMNS.state, None if wanted.state is None else wanted.state.value),
        (_COLUMNS.source_topic, wanted.topic),
        (_COLUMNS.consumer_group, wanted.group),
    )
    return [column == value for column, value in choices if value is not None]


def _whole() -> Select[Any]:  # columns of several types
    return select(dead_letters, _SIZE)


def _letter(row: Row[Any], payload: bytes | None) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        topic=row.source_topic,
        partition=row.source_partition,
        offset=row.source_offset,
        group=row.consumer_group,
        key=bytes(row.message_key),
        headers=row.headers,
        payload_bytes=row.payload_bytes,
        payload=payload,
        created_at=row.created_at,
        state=LetterState(row.state),
        decided_at=row.decided_at,
        reason=row.reason,
        replays=row.replays,
    )
