"""Brings the best-selling products from MySQL to Redis every half minute, by whoever holds the watch's lock (R11).

So a count that wasn't sent, and a Redis that is empty or was replaced, are right again by themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from redis.exceptions import RedisError

from doorbuster.kernel.errors import DoorbusterError
from doorbuster.products.ports import Ranking
from doorbuster.products.ranking import MOST_RANKED, SoldUnits

LOOK_SECONDS = 30.0

log = structlog.get_logger()


class RankingWatch:
    """One look after the other; what goes wrong in one is left to the next."""

    def __init__(
        self,
        best: Callable[[int], Awaitable[Sequence[SoldUnits]]],
        ranking: Ranking,
        *,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """Take what reads the best counts, where they are brought, and the pause between two looks."""
        self._best = best
        self._ranking = ranking
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._look()
            await asyncio.sleep(self._look_seconds)

    async def _look(self) -> None:
        try:
            await self._ranking.renew(await self._best(MOST_RANKED))
        except (RedisError, OSError) as exc:
            log.info("ranking_not_renewed", cause=type(exc).__name__)
        except DoorbusterError as exc:
            log.warning("ranking_not_renewed", cause=str(exc))
        except Exception:  # whatever it is, the sagas are looked after beside it, and that must go on
            log.exception("ranking_not_renewed")
