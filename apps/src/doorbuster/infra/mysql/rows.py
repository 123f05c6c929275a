"""Rows by the batch: claimed, locked, written and changed with one statement each, always ascending by key (R8)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Table, case, select, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.kernel.errors import NotAccepted

Values = Mapping[str, Any]  # columns of several types
K = TypeVar("K")

# On a small table the optimizer would rather read it whole, which locks rows that other transactions need: then two
# batches can hold what the other one wants.
BY_KEY = "FORCE INDEX (PRIMARY)"


class RowsChangedMeanwhile(NotAccepted):
    """Rows no longer have the values that the decision was made on; the transaction is rolled back."""


async def claim(connection: AsyncConnection, table: Table, placeholders: Sequence[Values]) -> Sequence[Row[Any]]:
    """Insert the placeholders whose key has no row yet, and return the rows of all of them, locked, ascending.

    Two consumers of two topics may hold messages of the same order at once: the second one waits in the insert. A
    plain `SELECT … FOR UPDATE` would find no row to lock, and both would insert.
    """
    key = _key(table)
    ordered = sorted(placeholders, key=lambda row: row[key.name])
    if not ordered:
        return ()
    await connection.execute(insert(table).on_duplicate_key_update({key.name: key}), ordered)
    return await lock(connection, table, [row[key.name] for row in ordered])


async def lock(connection: AsyncConnection, table: Table, keys: Collection[Any]) -> Sequence[Row[Any]]:
    """Return the rows that exist, locked for this transaction, ascending."""
    if not keys:
        return ()
    key = _key(table)
    statement = select(table).with_hint(table, BY_KEY).where(key.in_(sorted(keys))).order_by(key).with_for_update()
    return (await connection.execute(statement)).all()


async def find(connection: AsyncConnection, table: Table, keys: Collection[Any]) -> Sequence[Row[Any]]:
    """Return the rows that exist, without a lock, ascending."""
    if not keys:
        return ()
    key = _key(table)
    return (await connection.execute(select(table).where(key.in_(sorted(keys))).order_by(key))).all()


async def add(connection: AsyncConnection, table: Table, rows: Sequence[Values]) -> None:
    """Insert new rows."""
    if rows:
        names = [column.name for column in table.primary_key]
        await connection.execute(insert(table), sorted(rows, key=lambda row: [row[name] for name in names]))


async def write(
    connection: AsyncConnection, table: Table, rows: Sequence[Values], *, only: Collection[str] | None = None
) -> None:
    """Give locked rows new values.

    Args:
        connection: a transaction that has locked the rows.
        table: with one key column.
        rows: all with the same columns, among them those without a default.
        only: the columns that change; None means all but the key.
    """
    if not rows:
        return
    key = _key(table)
    statement = insert(table)
    names = rows[0].keys() - {key.name} if only is None else only
    changed = {name: statement.inserted[name] for name in sorted(names)}
    await connection.execute(statement.on_duplicate_key_update(changed), sorted(rows, key=lambda row: row[key.name]))


async def change(
    connection: AsyncConnection, column: ColumnElement[int], *, before: Mapping[K, int], after: Mapping[K, int]
) -> None:
    """Set a column of many rows by their keys, but only where it still is what it was.

    Args:
        connection: a transaction that has locked the rows.
        column: of a table with one key column.
        before: the value that each row must have; more keys than in `after` do no harm.
        after: the new values by key.

    Raises:
        RowsChangedMeanwhile: a row is gone or has another value.
    """
    if not after:
        return
    table: Table = column.table
    key = _key(table)
    keys = sorted(after)  # type: ignore[type-var]  # keys are integers or UUIDs
    statement = (
        update(table)
        .with_hint(BY_KEY, table)
        .where(key.in_(keys), column == case({item: before[item] for item in keys}, value=key))
        .values({column: case({item: after[item] for item in keys}, value=key)})
    )
    result = await connection.execute(statement)
    if result.rowcount != len(keys):
        raise RowsChangedMeanwhile(f"{result.rowcount} of {len(keys)} rows of {table.name} are as they were")


def _key(table: Table) -> ColumnElement[Any]:
    (key,) = table.primary_key.columns
    return key
