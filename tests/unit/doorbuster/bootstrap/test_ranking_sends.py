import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from doorbuster.bootstrap.ranking_sends import RankingSender, RankingSends
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.kernel.errors import OutcomeUnknown
from doorbuster.products.ranking import MOST_RANKED, SoldUnits
from tests.unit.doorbuster.products.fake_ranking import FakeRanking
from tests.unit.doorbuster.products.ranking_contract import sellers, sold


class Transactions:
    """Transactions that end as a test says."""

    def __init__(self) -> None:
        self.commit: Exception | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        yield cast("AsyncConnection", self)
        if self.commit is not None:
            raise self.commit


class Redis:
    """Takes counts, as fast as a test lets it."""

    def __init__(self) -> None:
        self.sent: list[list[SoldUnits]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def send(self, counts: Sequence[SoldUnits]) -> None:
        self.sent.append(list(counts))
        await self.may_answer.wait()


@pytest.fixture
def database() -> Transactions:
    return Transactions()


@pytest.fixture
def redis() -> Redis:
    return Redis()


@pytest.fixture
def sends(database: Transactions, redis: Redis) -> RankingSends:
    return RankingSends(database, redis.send)


async def batch(sends: RankingSends, *counts: SoldUnits, error: Exception | None = None) -> None:
    async with sends.transaction():
        sends.counted(counts)
        if error is not None:
            raise error


async def test_counts_are_sent_after_the_commit_and_not_before(redis: Redis, sends: RankingSends) -> None:
    async with sends.transaction():
        sends.counted([sold(1, 5)])
        await sends.drain()
        assert redis.sent == []
    await sends.drain()

    assert redis.sent == [[sold(1, 5)]]


@pytest.mark.parametrize("outcome", [RuntimeError("rolled back"), OutcomeUnknown("no answer")])
async def test_what_is_not_surely_committed_is_never_sent(
    database: Transactions, redis: Redis, sends: RankingSends, outcome: Exception
) -> None:
    database.commit = outcome
    with pytest.raises(type(outcome)):
        await batch(sends, sold(1, 5))
    database.commit = None
    # A transaction that counts nothing, such as one of dead letters alone.
    async with sends.transaction():
        pass
    await sends.drain()

    assert redis.sent == []


async def test_a_batch_that_fails_in_between_sends_nothing(redis: Redis, sends: RankingSends) -> None:
    with pytest.raises(RuntimeError):
        await batch(sends, sold(1, 5), error=RuntimeError("a bug"))
    await sends.drain()

    assert redis.sent == []


async def test_what_comes_while_redis_is_slow_is_sent_together_the_newest_of_each_product(
    redis: Redis, sends: RankingSends
) -> None:
    redis.may_answer.clear()
    for count in (sold(1, 5), sold(2, 1), sold(1, 6, version=2), sold(1, 9, version=3)):
        await batch(sends, count)
        await asyncio.sleep(0)
    redis.may_answer.set()
    await sends.drain()

    assert redis.sent == [[sold(1, 5)], [sold(1, 9, version=3), sold(2, 1)]]


async def test_no_more_than_a_ranking_waits(redis: Redis, sends: RankingSends) -> None:
    redis.may_answer.clear()
    await batch(sends, sold(1, 1))
    await asyncio.sleep(0)
    for start in (1, 901):
        await batch(sends, *(sold(product, product) for product in range(start, start + 900)))
    redis.may_answer.set()
    await sends.drain()

    assert [len(counts) for counts in redis.sent] == [1, MOST_RANKED]
    assert redis.sent[-1][0] == sold(1_800, 1_800)


async def test_a_redis_that_is_gone_is_logged_and_no_more() -> None:
    ranking = FakeRanking()
    await ranking.renew([sold(1, 5)])
    sender = RankingSender(ranking, Guard(Circuits(Dependency.REDIS), "test"))
    ranking.away = True
    with capture_logs() as logged:
        await sender.send([sold(1, 6, version=2)])
    ranking.away = False
    assert [entry["event"] for entry in logged if entry["log_level"] == "info"] == ["counts_not_sent"]

    await sender.send([sold(1, 7, version=3)])
    assert await ranking.best(10) == sellers((1, 7))
