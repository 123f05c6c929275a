"""What passes between the consumer runtime and what does the work: records in, a result out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as Kafka delivered it; nothing in it has been checked.

    Attributes:
        key: None when the sender gave none.
        value: None for a tombstone.
        timestamp_ms: when the sender or the broker says it was made, in milliseconds since 1970; negative when unknown.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """How many records of a batch ended in which way; together they are all of the batch."""

    processed: int
    duplicates: int = 0
    dead_letters: int = 0


class BatchHandler(Protocol):
    """Does the work of one batch."""

    async def handle(self, records: Sequence[Record]) -> BatchResult:
        """Return after everything that the records ask for is committed, in one transaction or a few (R3).

        Raises:
            NotAccepted: nothing was written; hand in the same batch again (R7).
            OutcomeUnknown: perhaps it was written; hand in the same batch again (R2).
        """
        ...
