"""Whatever is lost, repeated or late, the next renewal makes the ranking what MySQL says."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from doorbuster.products.ranking import MOST_RANKED, SoldUnits, best
from tests.unit.doorbuster.products.fake_ranking import FakeRanking
from tests.unit.doorbuster.products.ranking_contract import sold

COUNTS = st.builds(sold, st.integers(1, 5), st.integers(1, 3))


@given(st.lists(COUNTS, max_size=30))
def test_the_best_are_in_order_and_none_is_better_that_is_left_out(counts: Sequence[SoldUnits]) -> None:
    places = [(count.units, count.product_id) for count in best(counts)]

    assert places == sorted(((count.units, count.product_id) for count in counts), reverse=True)


def test_at_most_a_thousand_are_the_best() -> None:
    counts = best(sold(product, product) for product in range(1, 1_500))

    assert (len(counts), counts[-1].product_id) == (MOST_RANKED, 500)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 9)), max_size=20), st.data())
async def test_after_a_renewal_the_ranking_is_what_mysql_says(
    sales: Sequence[tuple[int, int]], data: st.DataObject
) -> None:
    table: dict[int, SoldUnits] = {}
    history: list[SoldUnits] = []
    for product, units in sales:
        before = table.get(product, sold(product, 0, version=0))
        table[product] = sold(product, before.units + units, before.version + 1)
        history.append(table[product])
    ranking = FakeRanking()
    await ranking.renew(data.draw(st.lists(st.sampled_from(history))) if history else [])
    for count in data.draw(st.permutations(history)):
        if data.draw(st.booleans()):
            await ranking.note([count])
    await ranking.renew(list(table.values()))

    known = [(each.product_id, each.units) for each in await ranking.best(10)]
    assert known == [(count.product_id, count.units) for count in best(table.values())]
