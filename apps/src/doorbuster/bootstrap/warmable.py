"""What can be filled before a sale, so that its first second doesn't fall onto the database.

A copy lives for some seconds only (R6), so the filling goes on until the sale begins. A warm-up never makes anything
older: it offers copies as every reader does.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

# Well before the first copies end, which live for 80 % of their time at least.
SECONDS_BETWEEN_ROUNDS = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmed:
    """What one kind's last round came to; the field names are those of the job's answer.

    Attributes:
        filled: copies that were taken, or gates that are open.
        unknown: of those that were named, how many don't exist.
        outdated: how many copies were newer in Redis already, also than the primary's.
    """

    named: int
    filled: int
    unknown: int
    outdated: int


class Warmable(Protocol):
    """One kind of copies that can be filled ahead."""

    @property
    def kind(self) -> str:
        """What is filled, in the plural."""
        ...

    @property
    def count(self) -> int:
        """How many are named."""
        ...

    async def fill(self) -> Warmed:
        """Fill all of them once; raises what a server that is gone makes it raise."""
        ...


async def keep_warm(parts: Sequence[Warmable], *, keep_seconds: float) -> Mapping[str, Warmed]:
    """Fill all parts once, and again every ten seconds while the time lasts; return what the last round came to."""
    until = time.monotonic() + keep_seconds
    while True:
        began = time.monotonic()
        done = {part.kind: await part.fill() for part in parts}
        log.info(
            "warm", seconds=round(time.monotonic() - began, 3), **{kind: each.filled for kind, each in done.items()}
        )
        left = until - time.monotonic()
        if left <= 0:
            return done
        await asyncio.sleep(min(left, SECONDS_BETWEEN_ROUNDS))
