"""What every ranking promises: the fake and the one in Redis pass the same tests."""

from collections.abc import Sequence

from doorbuster.kernel.ids import ProductId
from doorbuster.products.ports import Ranking
from doorbuster.products.ranking import MOST_RANKED, BestSeller, SoldUnits

GREATEST = 2**53


def sold(product: int, units: int, version: int = 1) -> SoldUnits:
    return SoldUnits(product_id=ProductId(product), units=units, version=version)


def sellers(*pairs: tuple[int, int]) -> Sequence[BestSeller]:
    """Return best sellers from pairs of a product and its units."""
    return [BestSeller(product_id=ProductId(product), units=units) for product, units in pairs]


class RankingContract:
    async def test_the_best_come_first_and_no_more_than_asked_for(self, ranking: Ranking) -> None:
        assert await ranking.best(10) == []
        await ranking.renew([sold(1, 5), sold(2, 7), sold(3, 6)])

        assert await ranking.best(10) == sellers((2, 7), (3, 6), (1, 5))
        assert await ranking.best(2) == sellers((2, 7), (3, 6))

    async def test_of_equal_units_the_greater_id_comes_first(self, ranking: Ranking) -> None:
        await ranking.renew([sold(product, 5) for product in (9, 10, GREATEST, 1, 99)])

        assert await ranking.best(10) == sellers((GREATEST, 5), (99, 5), (10, 5), (9, 5), (1, 5))

    async def test_the_newer_version_stays_whichever_comes_first(self, ranking: Ranking) -> None:
        await ranking.renew([sold(1, 5, version=3), sold(2, 1)])
        await ranking.note([sold(1, 9, version=10)])
        await ranking.note([sold(1, 7, version=9)])
        await ranking.renew([sold(1, 5, version=3), sold(2, 1)])

        assert await ranking.best(10) == sellers((1, 9), (2, 1))

    async def test_the_same_counts_again_change_nothing(self, ranking: Ranking) -> None:
        counts = [sold(1, 5, version=3), sold(2, 4, version=2)]
        for _ in range(2):
            await ranking.renew(counts)
            await ranking.note(counts)

        assert await ranking.best(10) == sellers((1, 5), (2, 4))

    async def test_a_sale_makes_no_ranking_where_there_is_none(self, ranking: Ranking) -> None:
        await ranking.note([sold(1, 5)])
        assert await ranking.best(10) == []
        await ranking.renew([])
        assert await ranking.best(10) == []

        await ranking.renew([sold(2, 9)])
        await ranking.note([sold(1, 5)])
        assert await ranking.best(10) == sellers((2, 9), (1, 5))

    async def test_no_more_than_a_thousand_are_kept_and_who_fell_out_may_come_back(self, ranking: Ranking) -> None:
        await ranking.renew([sold(product, product, version=5) for product in range(1, MOST_RANKED + 1)])
        await ranking.note([sold(product, product) for product in range(MOST_RANKED + 1, MOST_RANKED + 3)])

        known = await ranking.best(2 * MOST_RANKED)
        assert len(known) == MOST_RANKED
        assert (known[0].product_id, known[-1].product_id) == (MOST_RANKED + 2, 3)

        await ranking.note([sold(1, 5_000, version=6)])
        assert (await ranking.best(1)) == sellers((1, 5_000))

    async def test_of_more_than_a_thousand_counts_the_best_are_taken(self, ranking: Ranking) -> None:
        await ranking.renew([sold(product, product) for product in range(1, 2 * MOST_RANKED + 1)])

        known = await ranking.best(2 * MOST_RANKED)
        assert (len(known), known[-1].product_id) == (MOST_RANKED, MOST_RANKED + 1)
