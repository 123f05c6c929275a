"""Processed ids: which messages a group has done already (R7, R12)."""

from collections.abc import Collection, Set
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import literal_column, select, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.topics import Group
from doorbuster.infra.mysql.rows import BY_KEY
from doorbuster.infra.mysql.tables import processed_messages

# Marks a row that was there already, until the next statement of the same transaction.
_TAKEN = datetime(1970, 1, 2, tzinfo=UTC)
# Changing a row that is already there counts as two rows: the sum tells whether all of ours are new. So a repeat is a
# number, and no error of the class that refused data has (R7). The mark isn't a parameter: the driver makes one
# statement of many rows only if all parameters are in VALUES.
_CLAIM = insert(processed_messages).on_duplicate_key_update(processed_at=literal_column(f"'{_TAKEN:%Y-%m-%d}'"))


async def claim(connection: AsyncConnection, group: Group, ids: Collection[UUID], now: datetime) -> Set[UUID]:
    """Return those of `ids` that are new to the group; they are remembered from the transaction's commit on.

    Who comes second waits in the insert for the first one's end, and goes on with what is left then. It doesn't roll
    back for that: several that wait for a row that goes away get its place together, and stop each other there.
    """
    known = await connection.execute(
        select(processed_messages.c.message_id).where(
            processed_messages.c.consumer_group == group.value, processed_messages.c.message_id.in_(sorted(ids))
        )
    )
    fresh = set(ids) - set(known.scalars())
    if not fresh:
        return fresh
    rows = [{"consumer_group": group.value, "message_id": each, "processed_at": now} for each in sorted(fresh)]
    if (await connection.execute(_CLAIM, rows)).rowcount != len(rows):
        fresh -= await _taken(connection, group, fresh, now)
    return fresh


async def _taken(connection: AsyncConnection, group: Group, ids: Collection[UUID], now: datetime) -> Set[UUID]:
    """Return those that another transaction committed after we looked, and take the mark from them."""
    marked = (
        processed_messages.c.consumer_group == group.value,
        processed_messages.c.message_id.in_(sorted(ids)),
        processed_messages.c.processed_at == _TAKEN,
    )
    found = await connection.execute(select(processed_messages.c.message_id).where(*marked))
    taken = set(found.scalars())
    unmark = update(processed_messages).with_hint(BY_KEY, processed_messages).where(*marked)
    await connection.execute(unmark.values(processed_at=now))
    return taken
