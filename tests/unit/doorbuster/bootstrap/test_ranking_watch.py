import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from doorbuster.bootstrap.ranking_watch import RankingWatch
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.products.ranking import MOST_RANKED, SoldUnits
from tests.unit.doorbuster.products.fake_ranking import FakeRanking
from tests.unit.doorbuster.products.ranking_contract import sellers, sold


class Table:
    """Answers each look as it is told; then no more."""

    def __init__(self, *looks: Sequence[SoldUnits] | Exception) -> None:
        self._looks = list(looks)
        self.done = asyncio.Event()

    async def best(self, limit: int) -> Sequence[SoldUnits]:
        assert limit == MOST_RANKED
        if not self._looks:
            self.done.set()
            await asyncio.Event().wait()
        outcome = self._looks.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def looked(ranking: FakeRanking, *looks: Sequence[SoldUnits] | Exception) -> list[tuple[str, str]]:
    """Let the watch look so often; return its log."""
    table = Table(*looks)
    with capture_logs() as logged:
        task = asyncio.create_task(RankingWatch(table.best, ranking, look_seconds=0).run())
        await asyncio.wait_for(table.done.wait(), 5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return [(entry["log_level"], entry["event"]) for entry in logged]


async def test_the_best_are_brought_where_nothing_is_known() -> None:
    ranking = FakeRanking()

    assert await looked(ranking, [sold(1, 5), sold(2, 7)]) == []
    assert await ranking.best(10) == sellers((2, 7), (1, 5))


async def test_what_was_not_sent_is_right_after_the_next_look() -> None:
    ranking = FakeRanking()
    await ranking.renew([sold(1, 5), sold(2, 7, version=9)])

    await looked(ranking, [sold(1, 8, version=2), sold(2, 6, version=8)])

    assert await ranking.best(10) == sellers((1, 8), (2, 7))


async def test_a_ranking_that_was_lost_is_made_anew() -> None:
    ranking = FakeRanking()
    await ranking.renew([sold(1, 5)])
    ranking.lose()
    await ranking.note([sold(1, 6, version=2)])

    await looked(ranking, [sold(2, 7), sold(1, 6, version=2)])

    assert await ranking.best(10) == sellers((2, 7), (1, 6))


@pytest.mark.parametrize(
    ("error", "level"), [(PrimaryUnavailable("failover"), "warning"), (RuntimeError("a bug"), "error")]
)
async def test_a_look_that_fails_is_left_to_the_next(error: Exception, level: str) -> None:
    ranking = FakeRanking()

    assert await looked(ranking, error, [sold(1, 5)]) == [(level, "ranking_not_renewed")]
    assert await ranking.best(10) == sellers((1, 5))


async def test_a_redis_that_is_gone_ends_nothing() -> None:
    ranking = FakeRanking()
    ranking.away = True

    assert await looked(ranking, [sold(1, 5)]) == [("info", "ranking_not_renewed")]
