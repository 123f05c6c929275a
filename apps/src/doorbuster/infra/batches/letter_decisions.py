"""What may become of a dead letter: sent again, or left undone. The decision is pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from doorbuster.contracts.messages import Message, decode
from doorbuster.infra.batches.dead_letters import LetterState
from doorbuster.kernel.errors import PoisonMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that a group gave up.

    Attributes:
        id: counted up; what a person types.
        headers: those of the dead letter in Kafka: cause, exception, stack digest, place.
        payload_bytes: how many the payload has; never more than a message may have.
        payload: None in a list.
        decided_at: when it was decided upon, and `reason` why; None while it is open.
        replays: how often it was sent again.
    """

    id: int
    topic: str
    partition: int
    offset: int
    group: str
    key: bytes
    headers: Mapping[str, str]
    payload_bytes: int
    payload: bytes | None
    created_at: datetime
    state: LetterState
    decided_at: datetime | None
    reason: str | None
    replays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a decision isn't carried out, and what to do instead.

    Attributes:
        done_before: it is so already, by an earlier decision: no harm, only nothing left to do.
    """

    reason: str
    done_before: bool = False


def why_not_replayed(letter: DeadLetter, *, again: bool) -> Refusal | None:
    """Return why the message isn't sent again, or None: it is.

    Args:
        letter: as it is, locked.
        again: whether an earlier decision is to be overruled.
    """
    place = f"{letter.topic}/{letter.partition}@{letter.offset}"
    match letter.headers.get("source-value"):
        case "cut":
            size = letter.payload_bytes
            return Refusal(reason=f"only its first {size} bytes are kept; the whole one is in {place} for 3 days")
        case "none":
            return Refusal(reason=f"it has no value, so there is nothing to send; discard it ({place})")
    if letter.state is LetterState.OPEN or again:
        return None
    return Refusal(
        reason=f"was {letter.state} at {_moment(letter.decided_at)}; --again sends it all the same",
        done_before=letter.state is LetterState.REPLAYED,
    )


def why_not_discarded(letter: DeadLetter) -> Refusal | None:
    """Return why it can't be discarded, or None: it can."""
    if letter.state is LetterState.OPEN:
        return None
    return Refusal(
        reason=f"was {letter.state} at {_moment(letter.decided_at)}; that stays",
        done_before=letter.state is LetterState.DISCARDED,
    )


def readable(payload: bytes) -> Message | None:
    """Return the message as this release reads it; None when it still can't."""
    try:
        return decode(payload)
    except PoisonMessage:
        return None


def _moment(time: datetime | None) -> str:
    return "an unknown time" if time is None else f"{time:%Y-%m-%d %H:%M:%S} UTC"
