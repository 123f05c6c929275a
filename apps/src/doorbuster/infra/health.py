"""The state of everything that the API leans on, and what it means for buyers (R17). The decision is pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from doorbuster.kernel.breaker import BreakerState


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
class Members:
    """The MySQL group as its primary sees it.

    Attributes:
        primary: its host; None when the group names none, as a server outside of any group does.
        online: how many members serve, the primary included.
        known: how many there are in the group.
    """

    primary: str | None
    online: int
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What was seen.

    Attributes:
        products: how many the catalogue has; None if it couldn't be counted.
        minimum_products: with fewer nothing can be sold as it is meant.
        outbox_rows: messages that wait; None if nobody could look, as with `outbox_oldest_age_seconds`.
        accepts_orders: False while the outbox holds too much.
        pool: None if it isn't known.
        members: of the MySQL group; None if nobody could ask, or the server doesn't tell.
        pools: connections to MySQL by what they are for.
        breakers: what each does with a call; None where nobody says.
        faults: those that are switched on somewhere on purpose, as `<process>/<fault>`; None if nobody could ask.
    """

    mysql: State
    kafka: State
    redis: State
    products: int | None
    outbox_rows: int | None
    outbox_oldest_age_seconds: float | None
    accepts_orders: bool
    pool: Pool | None = None
    minimum_products: int = 1
    members: Members | None = None
    pools: Mapping[str, Pool] = field(default_factory=dict)
    breakers: Mapping[str, BreakerState | None] = field(default_factory=dict)
    faults: Sequence[str] | None = None

    @property
    def secondaries(self) -> State:
        """Of the MySQL group's other members: GONE when one of them doesn't serve. It changes no verdict (R5)."""
        if self.members is None:
            return State.UNKNOWN
        return State.OK if self.members.online == self.members.known else State.GONE

    @property
    def verdict(self) -> Verdict:
        """What it means: FAILED without MySQL or with too few products, for then nothing can be sold."""
        if self.mysql is State.GONE or (self.mysql is State.OK and (self.products or 0) < self.minimum_products):
            return Verdict.FAILED
        if self.mysql is self.kafka is self.redis is State.OK and self.accepts_orders:
            return Verdict.OK
        return Verdict.DEGRADED
