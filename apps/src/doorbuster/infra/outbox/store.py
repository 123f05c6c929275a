"""The outbox: messages that are stored in the transaction that makes them true, and sent by the relay later (R9)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.bodies import AnyBody
from doorbuster.contracts.messages import Message, encode
from doorbuster.infra.mysql.tables import outbox
from doorbuster.kernel.ids import MessageId


def message_key(key: UUID) -> bytes:
    """Return the key of all messages of an order (R14), or of an issue, as it stands in the outbox and in Kafka."""
    return str(key).encode("ascii")


async def store(
    connection: AsyncConnection, bodies: Sequence[AnyBody], *, now: datetime, new_id: Callable[[], UUID]
) -> None:
    """Insert a message for each body, in their order, by one statement.

    It is the last thing that a transaction writes (R8). A transaction that is tried again may mint other message ids:
    those of the attempt that failed were never visible.

    Args:
        connection: the open transaction.
        bodies: what happened.
        now: when it happened, by the database's clock.
        new_id: makes the messages' ids.
    """
    if bodies:
        await connection.execute(insert(outbox), [_row(body, now, new_id()) for body in bodies])


def _row(body: AnyBody, now: datetime, message_id: UUID) -> dict[str, object]:
    return {
        "topic": body.topic.value,
        "message_key": message_key(body.key),
        "message_type": body.type,
        "payload": encode(Message(id=MessageId(message_id), occurred_at=now, body=body)),
        "created_at": now,
    }
