"""The rows of idempotency keys: claimed first, answered last, in one transaction (R1)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.batches.answers import Answer
from doorbuster.infra.mysql.tables import idempotency_keys

C = TypeVar("C")

# No change, but an exclusive lock: who comes second waits for the first one's end, and reads its answer then.
_CLAIM = insert(idempotency_keys).on_duplicate_key_update(id=idempotency_keys.c.id)

# Both name the index: a small table would rather be read whole, and that waits for rows that other batches hold (R8).
_BY_KEY = "FORCE INDEX (PRIMARY)"
_FORGET = delete(idempotency_keys).prefix_with("/*+ INDEX(idempotency_keys PRIMARY) */")

_all = insert(idempotency_keys)
# Every row exists and is ours: this is an update of many rows by one statement.
_REMEMBER = _all.on_duplicate_key_update(status=_all.inserted.status, answer=_all.inserted.answer)


# Without slots: Python 3.11 can't make frozen generic ones when the type argument is written out.
@dataclass(frozen=True, kw_only=True)
class Keyed(Generic[C]):
    """A command with its idempotency key.

    Attributes:
        key_id: SHA-256 of user, route template and the client's key.
        body_hash: SHA-256 of the canonical body.
        body_bytes: the canonical body's length.
        attempt: made by the route, once for each request; tells this request from repeats of it.
        command: what is asked; all its ids are minted, so that it may be tried again unchanged.
    """

    key_id: bytes
    body_hash: bytes
    body_bytes: int
    attempt: UUID
    command: C


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key's row, locked.

    Attributes:
        answer: None when it isn't decided.
    """

    attempt: UUID
    body_hash: bytes
    answer: Answer | None


async def claim(connection: AsyncConnection, batch: Sequence[Keyed[C]], now: datetime) -> Mapping[bytes, KeyRow]:
    """Insert the keys that are new, lock all, and return their rows; another `attempt` in one means a repeat."""
    ordered = sorted(batch, key=lambda keyed: keyed.key_id)
    await connection.execute(_CLAIM, [_columns(keyed, now) for keyed in ordered])
    found = await connection.execute(
        select(idempotency_keys)
        .with_hint(idempotency_keys, _BY_KEY)
        .where(idempotency_keys.c.id.in_([keyed.key_id for keyed in ordered]))
        .order_by(idempotency_keys.c.id)
        .with_for_update()
    )
    return {bytes(row.id): _key_row(row) for row in found}


async def find_known(connection: AsyncConnection, key_ids: Collection[bytes]) -> frozenset[bytes]:
    """Return those of the keys that have a committed row, without a lock."""
    key = idempotency_keys.c.id
    statement = select(key).with_hint(idempotency_keys, _BY_KEY).where(key.in_(sorted(key_ids)))
    return frozenset(bytes(each) for each in (await connection.execute(statement)).scalars())


async def remember(connection: AsyncConnection, answers: Sequence[tuple[Keyed[C], Answer]], now: datetime) -> None:
    """Store the answers in rows that this transaction inserted, by one statement."""
    if answers:
        rows = [
            {**_columns(keyed, now), "status": answer.status, "answer": answer.body}
            for keyed, answer in sorted(answers, key=lambda pair: pair[0].key_id)
        ]
        await connection.execute(_REMEMBER, rows)


async def forget(connection: AsyncConnection, batch: Sequence[Keyed[C]]) -> None:
    """Delete rows that this transaction inserted: their commands were refused, the keys are free again."""
    if batch:
        key_ids = sorted(keyed.key_id for keyed in batch)
        await connection.execute(_FORGET.where(idempotency_keys.c.id.in_(key_ids)))


def _columns(keyed: Keyed[C], now: datetime) -> dict[str, object]:
    return {"id": keyed.key_id, "attempt": keyed.attempt, "body_hash": keyed.body_hash, "created_at": now}


def _key_row(row: Row[Any]) -> KeyRow:  # columns of several types
    answer = None if row.status is None else Answer(status=row.status, body=bytes(row.answer))
    return KeyRow(attempt=row.attempt, body_hash=bytes(row.body_hash), answer=answer)
