"""Dead letters: messages that can never succeed, on their way to `<topic>.dlt` by the outbox (R7).

Each also leaves a row of its own, in the same transaction: what a person decides about it is decided there
(`letter_decisions`), also while Kafka is gone.
"""

import hashlib
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.contracts.messages import LONGEST_MESSAGE_BYTES
from doorbuster.contracts.topics import Group, dead_letter_topic
from doorbuster.infra.kafka.records import Record
from doorbuster.infra.mysql.tables import dead_letters, outbox
from doorbuster.kernel.errors import PoisonMessage

# Not the message's own type: who looks for an order's messages by key and type must not find these.
DEAD_LETTER_TYPE = "dead-letter"
# What the outbox's columns hold; a foreign sender's key may be longer.
_LONGEST_KEY_BYTES = 64
_LONGEST_CAUSE = 500


class LetterState(StrEnum):
    """What was decided about a dead letter."""

    OPEN = "open"
    """Nothing yet."""
    REPLAYED = "replayed"
    """The message was sent again; if it is given up again, that is another dead letter."""
    DISCARDED = "discarded"
    """It is to stay undone."""


async def store_dead_letters(
    connection: AsyncConnection, letters: Sequence[tuple[Record, PoisonMessage]], *, group: Group, now: datetime
) -> None:
    """Insert a row to decide on and one into the outbox for each record, in the transaction that skips them."""
    if letters:
        rows = [_row(record, poison, group, now) for record, poison in letters]
        await connection.execute(insert(dead_letters), [_open(record, row, group) for record, row in rows])
        await connection.execute(insert(outbox), [row for _, row in rows])


def describe(record: Record, poison: PoisonMessage, group: Group) -> Mapping[str, str]:
    """Return the dead letter's headers: what went wrong, where it came from, who gave up."""
    root = poison.__cause__ or poison
    headers = {
        "cause": _printable(str(poison)),
        "exception": f"{type(root).__module__}.{type(root).__qualname__}",
        "stack-digest": _stack_digest(root),
        "group": group.value,
        "source-topic": record.topic,
        "source-partition": str(record.partition),
        "source-offset": str(record.offset),
    }
    if record.value is None:
        headers["source-value"] = "none"
    elif len(record.value) > LONGEST_MESSAGE_BYTES:
        headers["source-value"] = "cut"
    if record.key is None:
        headers["source-key"] = "none"
    elif len(record.key) > _LONGEST_KEY_BYTES:
        headers["source-key"] = "cut"
    return headers


def _row(record: Record, poison: PoisonMessage, group: Group, now: datetime) -> tuple[Record, dict[str, object]]:
    return record, {
        "topic": dead_letter_topic(record.topic),
        "message_key": (record.key or b"")[:_LONGEST_KEY_BYTES],
        "message_type": DEAD_LETTER_TYPE,
        # A longer one could be stored by no column or sent to no broker: it would wait for ever, with orders behind it.
        "payload": (record.value or b"")[:LONGEST_MESSAGE_BYTES],
        "headers": describe(record, poison, group),
        "created_at": now,
    }


def _open(record: Record, row: Mapping[str, object], group: Group) -> dict[str, object]:
    shared = ("message_key", "payload", "headers", "created_at")
    return {
        **{name: row[name] for name in shared},
        "source_topic": record.topic,
        "source_partition": record.partition,
        "source_offset": record.offset,
        "consumer_group": group.value,
        "state": LetterState.OPEN.value,
        "replays": 0,
    }


def _printable(text: str) -> str:
    # Lone surrogates would make the database refuse the dead letter itself.
    return text[:_LONGEST_CAUSE].encode("utf-8", "replace").decode("utf-8")


def _stack_digest(root: BaseException) -> str:
    # Places without values: the same fault has the same digest, and no one's data is in it.
    frames = traceback.extract_tb(root.__traceback__)
    places = "\n".join(f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames)
    return hashlib.sha256(f"{type(root).__qualname__}\n{places}".encode()).hexdigest()
