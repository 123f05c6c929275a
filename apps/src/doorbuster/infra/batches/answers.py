"""What a command with an idempotency key is answered, and what of that is remembered (R1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from doorbuster.contracts.bodies import AnyBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is stored and given again to every repeat: done (2xx) or a business refusal (409).

    Attributes:
        status: the HTTP status.
        body: the answer's body as it is sent.
    """

    status: int
    body: bytes

    def __post_init__(self) -> None:
        if not (200 <= self.status < 300 or self.status == 409):
            raise ValueError(f"an answer with status {self.status} must not be stored (R1)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The command's values are wrong, or what stands in its way may change. Not stored: the key is free again.

    Attributes:
        status: the HTTP status, 4xx.
        body: the answer's body as it is sent.
    """

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BodyMismatch:
    """The key was used with another body before: 422."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a step did with its commands.

    Attributes:
        outcomes: one for each command, in their order.
        events: what happened, to be sent.
    """

    outcomes: Sequence[Answer | Refused]
    events: Sequence[AnyBody] = ()


Outcome: TypeAlias = Answer | Refused | BodyMismatch
