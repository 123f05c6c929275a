import asyncio
from collections.abc import Sequence

import pytest

from doorbuster.bootstrap.ranking import SNAPSHOT_SECONDS, RankedProducts, RankingSnapshot
from doorbuster.infra.cache.entries import Entry
from doorbuster.infra.cache.guard import POLICY, Guard
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.kernel.ids import ProductId
from doorbuster.products.documents import product_body
from doorbuster.products.model import Product
from doorbuster.products.ranking import RankedProduct, SoldUnits
from tests.unit.doorbuster.infra.cache.fake_cache import Clock
from tests.unit.doorbuster.products.fake_ranking import FakeRanking
from tests.unit.doorbuster.products.ranking_contract import sellers, sold


class Table:
    """The counts in MySQL."""

    def __init__(self) -> None:
        self.counts: Sequence[SoldUnits] = [sold(2, 70), sold(1, 50)]
        self.away = False
        self.asked = 0

    async def best(self, limit: int) -> Sequence[SoldUnits]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise PrimaryUnavailable("gone")
        return self.counts[:limit]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
async def ranking() -> FakeRanking:
    ranking = FakeRanking()
    await ranking.renew([sold(2, 7), sold(1, 5)])
    ranking.asked = 0
    return ranking


@pytest.fixture
def snapshot(clock: Clock, table: Table, ranking: FakeRanking) -> RankingSnapshot:
    guard = Guard(Circuits(Dependency.REDIS, clock=clock), "test")
    return RankingSnapshot(ranking.best, guard, stored=table.best, clock=clock)


async def test_redis_is_asked_once_in_a_second_however_many_want_to_know(
    clock: Clock, table: Table, ranking: FakeRanking, snapshot: RankingSnapshot
) -> None:
    assert await asyncio.gather(*(snapshot.best() for _ in range(50))) == [sellers((2, 7), (1, 5))] * 50
    await ranking.note([sold(1, 9, version=2)])
    ranking.asked = 1
    clock.pass_by(SNAPSHOT_SECONDS / 2)
    assert await snapshot.best() == sellers((2, 7), (1, 5))
    assert ranking.asked == 1

    clock.pass_by(SNAPSHOT_SECONDS / 2)
    assert await snapshot.best() == sellers((1, 9), (2, 7))
    assert (ranking.asked, table.asked) == (2, 0)
    await snapshot.drain()


@pytest.mark.parametrize("lost", [True, False])
async def test_where_redis_knows_nothing_or_is_gone_mysql_is_asked_once_in_a_second(
    clock: Clock, table: Table, ranking: FakeRanking, snapshot: RankingSnapshot, *, lost: bool
) -> None:
    if lost:
        ranking.lose()
    else:
        ranking.away = True

    assert await asyncio.gather(*(snapshot.best() for _ in range(50))) == [sellers((2, 70), (1, 50))] * 50
    clock.pass_by(SNAPSHOT_SECONDS / 2)
    await snapshot.best()
    assert table.asked == 1
    clock.pass_by(SNAPSHOT_SECONDS / 2)
    await snapshot.best()
    assert table.asked == 2


async def test_a_dead_redis_is_soon_not_asked_any_more(
    clock: Clock, table: Table, ranking: FakeRanking, snapshot: RankingSnapshot
) -> None:
    ranking.away = True
    for _ in range(POLICY.failures):
        await snapshot.best()
        clock.pass_by(SNAPSHOT_SECONDS)
    asked = ranking.asked
    ranking.away = False

    clock.pass_by(POLICY.open_seconds)
    assert await snapshot.best() == sellers((2, 7), (1, 5))
    assert (asked, table.asked) == (POLICY.failures, POLICY.failures)


async def test_without_both_every_reader_is_told_and_the_next_question_may_succeed(
    table: Table, ranking: FakeRanking, snapshot: RankingSnapshot
) -> None:
    ranking.away = table.away = True
    outcomes = await asyncio.gather(*(snapshot.best() for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [PrimaryUnavailable] * 3
    assert table.asked == 1

    table.away = False
    assert await snapshot.best() == sellers((2, 70), (1, 50))


async def test_a_reader_that_goes_away_takes_nothing_from_the_others(
    table: Table, ranking: FakeRanking, snapshot: RankingSnapshot
) -> None:
    ranking.lose()
    first, second = (asyncio.create_task(snapshot.best()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == sellers((2, 70), (1, 50))
    assert table.asked == 1


async def test_draining_before_anybody_asked_is_done(snapshot: RankingSnapshot) -> None:
    await snapshot.drain()


async def test_the_best_are_shown_with_name_and_price_and_ranks_have_no_gap(
    table: Table, ranking: FakeRanking, snapshot: RankingSnapshot
) -> None:
    ranking.lose()
    table.counts = [sold(3, 9), sold(2, 8), sold(1, 7)]
    asked: list[ProductId] = []

    async def find(product_id: ProductId) -> Entry | None:
        asked.append(product_id)
        if product_id == 2:
            return None
        product = Product(id=product_id, name=f"Lamp {product_id}", price=100 * product_id, version=1)
        return Entry(version=1, body=product_body(product))

    ranked = RankedProducts(snapshot, find)

    assert await ranked.best(10) == [
        RankedProduct(rank=1, product_id=ProductId(3), name="Lamp 3", price=300, units=9),
        RankedProduct(rank=2, product_id=ProductId(1), name="Lamp 1", price=100, units=7),
    ]
    assert [each.rank for each in await ranked.best(1)] == [1]
    assert asked == [3, 2, 1, 3]
    await ranked.drain()
