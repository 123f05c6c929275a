"""The state of everything that the API leans on, and what it means for buyers (R17). The decision is pure."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Of one dependency."""

    OK = "ok"
    GONE = "gone"
    UNKNOWN = "unknown"
    """Nobody could look yet."""


class Verdict(StrEnum):
    """Of the whole."""

    OK = "ok"
    DEGRADED = "degraded"
    """Something is gone, or waits for too long; orders or reads are slower, or refused for now."""
    FAILED = "failed"
    """Nothing can be sold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Connections to the primary: how many there may be, and how many are in use."""

    size: int
    in_use: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What was seen.

    Attributes:
        products: how many the catalogue has; None if it couldn't be counted.
        outbox_rows: messages that wait; None if nobody could look, as with `outbox_oldest_age_seconds`.
        accepts_orders: False while the outbox holds too much.
        pool: None if it isn't known.
    """

    mysql: State
    kafka: State
    redis: State
    products: int | None
    outbox_rows: int | None
    outbox_oldest_age_seconds: float | None
    accepts_orders: bool
    pool: Pool | None = None

    @property
    def verdict(self) -> Verdict:
        """What it means: FAILED without MySQL or without products, for then nothing can be sold."""
        if self.mysql is State.GONE or not self.products:
            return Verdict.FAILED
        if self.kafka is self.redis is State.OK and self.accepts_orders:
            return Verdict.OK
        return Verdict.DEGRADED
