"""Messages that can never succeed, made on purpose: one of each kind that a consumer gives up (R7). Pure."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from doorbuster.contracts.messages import LONGEST_MESSAGE_BYTES

# No release will ever have so many.
UNKNOWN_VERSION = 999


class PoisonKind(StrEnum):
    """Why a message can never succeed."""

    MALFORMED = "malformed"
    """It ends in the middle."""
    UNKNOWN_VERSION = "unknown-version"
    """No release knows its type in its version."""
    OVERSIZED = "oversized"
    """It is one byte longer than a message may be."""


def poisoned(kind: PoisonKind, *, message_id: UUID, order_id: UUID, now: datetime) -> bytes:
    """Return a message of this kind, about an order that doesn't exist."""
    envelope = msgspec.json.encode(
        {
            "id": message_id,
            "type": "order.created",
            "version": UNKNOWN_VERSION,
            "occurred_at": now,
            "key": order_id,
            "data": {"order_id": order_id},
        }
    )
    match kind:
        case PoisonKind.MALFORMED:
            return envelope[: len(envelope) // 2]
        case PoisonKind.UNKNOWN_VERSION:
            return envelope
        case PoisonKind.OVERSIZED:
            return envelope.ljust(LONGEST_MESSAGE_BYTES + 1)
