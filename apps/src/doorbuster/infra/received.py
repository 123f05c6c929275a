"""A record that was read: a message to work on, or what is wrong with it. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from doorbuster.contracts.bodies import Body
from doorbuster.contracts.messages import decode
from doorbuster.infra.records import Record
from doorbuster.kernel.errors import NotAccepted, PoisonMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One record of a batch.

    Attributes:
        claim: what the processed ids remember, so that it is done once.
        outcome: the message's body, or why it goes to the dead-letter topic.
    """

    record: Record
    claim: UUID
    outcome: Body | PoisonMessage


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


def isolate(batch: Sequence[Received], poison: PoisonMessage) -> Sequence[Sequence[Received]]:
    """Return the batches that are tried instead of one that raised `poison`.

    With several messages in it these are its halves; with one, the same batch without that message's step.

    Raises:
        NotAccepted: no message is left to blame, so this isn't poison, whatever it calls itself.
    """
    messages = [at for at, received in enumerate(batch) if isinstance(received.outcome, Body)]
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
