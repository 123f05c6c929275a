"""How old the records in hand are: from `occurred_at` where the message says it, else from Kafka's time stamp (R9)."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from doorbuster.infra.kafka.records import Record


class _Occurred(msgspec.Struct):
    occurred_at: datetime


_decoder = msgspec.json.Decoder(_Occurred)


def oldest_age_seconds(records: Iterable[Record], now: float) -> float:
    """Return the age of the oldest record; 0 when no record's age is known.

    Only the first record of each partition is looked at: in one log the first is the oldest, give or take milliseconds.

    Args:
        records: in order of delivery.
        now: seconds since 1970.
    """
    firsts: dict[tuple[str, int], Record] = {}
    for record in records:
        firsts.setdefault((record.topic, record.partition), record)
    made = [seconds for record in firsts.values() if (seconds := _made_at(record)) is not None]
    return max(0.0, now - min(made)) if made else 0.0


def _made_at(record: Record) -> float | None:
    try:
        occurred_at = _decoder.decode(record.value or b"").occurred_at
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        occurred_at = None
    if occurred_at is not None and occurred_at.tzinfo is not None:
        return occurred_at.timestamp()
    return record.timestamp_ms / 1000 if record.timestamp_ms >= 0 else None
