"""Processed ids: which messages a group has done already (R7, R12)."""

from collections.abc import Collection, Set
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.topics import Group
from doorbuster.infra.tables import processed_messages
from doorbuster.kernel.errors import NotAccepted

# Changing a row that is already there counts as two rows: the sum tells whether all of ours are new. So a repeat is a
# number, and no error of the class that refused data has (R7).
_CLAIM = insert(processed_messages).on_duplicate_key_update(
    processed_at=text("processed_messages.processed_at + INTERVAL 1 MICROSECOND")
)


class MessageTaken(NotAccepted):
    """Somebody else processed one of the messages at this moment: read again and retry (R7)."""


async def claim(connection: AsyncConnection, group: Group, ids: Collection[UUID], now: datetime) -> Set[UUID]:
    """Return those of `ids` that are new to the group; they are remembered from the transaction's commit on.

    Raises:
        MessageTaken: another transaction claimed one of them after we looked; roll back and try again.
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
        raise MessageTaken(f"{group} claimed a message at the same time elsewhere")
    return fresh
