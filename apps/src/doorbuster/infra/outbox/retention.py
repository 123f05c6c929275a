"""How long the tables that no business module owns keep their rows, and their deletion in chunks (R1, R9, R12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Delete, Select, Table, delete, func, literal, select, tuple_

from doorbuster.infra.mysql.tables import dead_letters, idempotency_keys, outbox, processed_messages
from doorbuster.infra.mysql.transactions import Transactions

KEYS_KEPT = timedelta(hours=24)
PUBLISHED_KEPT = timedelta(hours=48)
# Longer than any topic keeps its records (3 days): a message that can still come must still be known (R12).
PROCESSED_IDS_KEPT = timedelta(days=10)
# What was sent again as long as this after it was given up would meet groups that know it no more.
DEAD_LETTERS_KEPT = PROCESSED_IDS_KEPT

# Short transactions: the group certifies each as a whole, and others wait for the locks.
_CHUNK_ROWS = 1_000
# The log of a deletion has the whole rows, and a payload may have 256 KiB: the group takes 20 MiB at once (R13).
_CHUNK_BYTES = 8 * 1024 * 1024
# At most this many a call; a backlog is worked off by the next calls.
_CHUNKS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """Rows of `table` go when `age` is older than `kept`, and stay where it is NULL; `bulk` makes them large."""

    table: Table
    age: Column[datetime]
    kept: timedelta
    bulk: Column[bytes] | None = None


_RULES = (
    _Rule(table=idempotency_keys, age=idempotency_keys.c.created_at, kept=KEYS_KEPT, bulk=idempotency_keys.c.answer),
    _Rule(table=outbox, age=outbox.c.published_at, kept=PUBLISHED_KEPT, bulk=outbox.c.payload),
    _Rule(table=processed_messages, age=processed_messages.c.processed_at, kept=PROCESSED_IDS_KEPT),
    _Rule(table=dead_letters, age=dead_letters.c.created_at, kept=DEAD_LETTERS_KEPT, bulk=dead_letters.c.payload),
)


async def purge(database: Transactions, now: datetime) -> Mapping[str, int]:
    """Delete rows that are older than they need be; return how many of each table.

    Args:
        database: where the tables are.
        now: the time by the database's clock.

    Raises:
        NotAccepted: some chunks may be deleted; the next call goes on.
        OutcomeUnknown: the same.
    """
    return {rule.table.name: await _purge(database, rule, now - rule.kept) for rule in _RULES}


async def _purge(database: Transactions, rule: _Rule, before: datetime) -> int:
    deleted = 0
    for _ in range(_CHUNKS):
        async with database.transaction() as connection:
            found = [tuple(row) for row in await connection.execute(_old(rule, before))]
            keys = within_bytes(found, most=_CHUNK_BYTES)
            if keys:
                deleted += (await connection.execute(_deletion(rule, keys, before))).rowcount
        if len(keys) == len(found) < _CHUNK_ROWS:
            break
    return deleted


def within_bytes(found: Sequence[tuple[Any, ...]], *, most: int) -> Sequence[tuple[Any, ...]]:
    """Return the first of the keys that have so many bytes together, and one at least.

    Args:
        found: keys, each with its row's bytes behind it.
        most: bytes of all that are returned.
    """
    keys: list[tuple[Any, ...]] = []
    size = 0
    for *key, length in found:
        size += length
        if keys and size > most:
            break
        keys.append(tuple(key))
    return keys


def _old(rule: _Rule, before: datetime) -> Select[Any]:  # the keys' columns differ from table to table
    # Without locks: a DELETE by age would wait for the first row that is too young, which a batch may hold (R8).
    size = literal(0) if rule.bulk is None else func.coalesce(func.length(rule.bulk), 0)
    return select(*rule.table.primary_key, size).where(rule.age < before).order_by(rule.age).limit(_CHUNK_ROWS)


def _deletion(rule: _Rule, keys: Sequence[tuple[Any, ...]], before: datetime) -> Delete:
    # The index is named because a small table would rather be read whole, with locks on all of it. The age is asked
    # again: a key may be gone and come again meanwhile.
    hint = f"/*+ INDEX({rule.table.name} PRIMARY) */"
    return delete(rule.table).prefix_with(hint).where(_among(rule.table, keys), rule.age < before)


def _among(table: Table, keys: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    columns = list(table.primary_key)
    if len(columns) == 1:
        return columns[0].in_([key for (key,) in keys])
    return tuple_(*columns).in_(keys)
