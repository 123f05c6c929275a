"""A record that was read: a message to work on, or what is wrong with it. Pure."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from doorbuster.contracts.bodies import AnyBody
from doorbuster.contracts.messages import decode
from doorbuster.infra.kafka.records import Record
from doorbuster.kernel.errors import NotAccepted, PoisonMessage

# Rows that a record costs whatever its group does with it.
_PROCESSED_ID = 1
_DEAD_LETTER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One record of a batch.

    Attributes:
        claim: what the processed ids remember, so that it is done once.
        outcome: the message's body, or why it goes to the dead-letter topic.
    """

    record: Record
    claim: UUID
    outcome: AnyBody | PoisonMessage


def receive(record: Record) -> Received:
    """Return what the record holds; never raises."""
    try:
        message = decode(record.value)
    except PoisonMessage as exc:
        return Received(record=record, claim=_claim_of_undecodable(record), outcome=exc)
    return Received(record=record, claim=message.id, outcome=message.body)


def distinct(batch: Sequence[Received]) -> Sequence[Received]:
    """Return the first of each claim, in the order of the batch."""
    first: dict[UUID, Received] = {}
    for received in batch:
        first.setdefault(received.claim, received)
    return tuple(first.values())


def within_rows(
    batch: Sequence[Received], rows_of: Callable[[AnyBody], int], *, most: int
) -> Sequence[Sequence[Received]]:
    """Return the batch in parts of so many rows at most, contiguous and in order (R3).

    A part holds at least one message, however many rows that costs. The same batch has the same parts each time.

    Args:
        batch: in the order of arrival.
        rows_of: how many rows a message may cost, beside its processed id.
        most: rows of a part.
    """
    parts: list[list[Received]] = []
    rows = 0
    for received in batch:
        cost = _PROCESSED_ID + (rows_of(received.outcome) if isinstance(received.outcome, AnyBody) else _DEAD_LETTER)
        rows += cost
        if not parts or rows > most:
            parts.append([])
            rows = cost
        parts[-1].append(received)
    return parts


def isolate(batch: Sequence[Received], poison: PoisonMessage) -> Sequence[Sequence[Received]]:
    """Return the batches that are tried instead of one that raised `poison`.

    With several messages in it these are its halves; with one, the same batch without that message's step.

    Raises:
        NotAccepted: no message is left to blame, so this isn't poison, whatever it calls itself.
    """
    messages = [at for at, received in enumerate(batch) if isinstance(received.outcome, AnyBody)]
    if not messages:
        raise NotAccepted("dead letters could not be stored") from poison
    if len(messages) == 1:
        guilty = batch[messages[0]]
        condemned = Received(record=guilty.record, claim=guilty.claim, outcome=poison)
        return ((*batch[: messages[0]], condemned, *batch[messages[0] + 1 :]),)
    middle = messages[len(messages) // 2]
    return batch[:middle], batch[middle:]


def _claim_of_undecodable(record: Record) -> UUID:
    # Such a record has no id that could be trusted. Coordinates alone come back when a topic is made anew.
    place = f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp_ms}/".encode()
    return UUID(bytes=hashlib.sha256(place + (record.value or b"")).digest()[:16])
