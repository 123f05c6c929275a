import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.config import CourseName, Rush
from loadtests.scenarios.choices import choices, is_hot

RUSH = Rush(
    base_url="http://shop",
    first_user=1001,
    users=20,
    first_product=1,
    products=10,
    hot_product=11,
    witness=Path("orders.jsonl"),
    course=CourseName.STEADY,
    peak=100,
    seconds=100,
)


def test_there_is_a_choice_for_every_scheduled_order() -> None:
    assert len(list(choices(RUSH))) == RUSH.arrivals.scheduled == 10_000


def test_the_same_seed_chooses_the_same() -> None:
    assert list(choices(RUSH)) == list(choices(RUSH))


def test_another_seed_chooses_otherwise() -> None:
    assert list(choices(RUSH)) != list(choices(RUSH.model_copy(update={"seed": 2})))


def test_shoppers_and_products_are_drawn_uniformly() -> None:
    chosen = list(choices(RUSH.model_copy(update={"hot_orders": 0})))

    users = Counter(choice.user_id for choice in chosen)
    products = Counter(choice.product_id for choice in chosen)
    assert (sorted(users), sorted(products)) == (list(range(1001, 1021)), list(range(1, 11)))
    # 500 and 1,000 are expected, give or take five standard deviations.
    assert all(390 < count < 610 for count in users.values())
    assert all(850 < count < 1150 for count in products.values())


def test_hot_orders_are_spread_over_the_whole_course() -> None:
    hot = [number for number, choice in enumerate(choices(RUSH)) if choice.product_id == 11]

    assert len(hot) == 300
    assert {after - before for before, after in itertools.pairwise(hot)} == {33, 34}
    assert hot[-1] >= 10_000 - 34


def test_hot_orders_leave_everybody_elses_choice_as_it_is() -> None:
    cold = choices(RUSH.model_copy(update={"hot_orders": 0}))

    for choice, other in zip(choices(RUSH), cold, strict=True):
        assert choice.user_id == other.user_id
        assert choice.product_id in {11, other.product_id}


@pytest.mark.parametrize("hot", [0, 1, 1000])
def test_none_one_and_all_can_be_hot(hot: int) -> None:
    assert sum(is_hot(number, hot=hot, of=1000) for number in range(1000)) == hot


@given(st.integers(min_value=1, max_value=2000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_exactly_so_many_are_hot_and_each_stretch_has_its_share(counts: tuple[int, int]) -> None:
    hot, of = counts

    found = 0
    for number in range(of):
        found += is_hot(number, hot=hot, of=of)
        assert abs(found - (number + 1) * hot / of) < 1
    assert found == hot


SPECIAL = RUSH.model_copy(update={"users": 4000, "coupon": 7, "coupon_orders": 500, "checkouts": 100})


def test_so_many_orders_have_a_coupon_and_so_many_are_carts_and_none_both() -> None:
    chosen = list(choices(SPECIAL))

    assert sum(choice.coupon_id == 7 for choice in chosen) == 500
    assert sum(choice.cart for choice in chosen) == 100
    assert [choice for choice in chosen if choice.cart and choice.coupon_id is not None] == []


def test_each_special_order_is_another_shoppers_of_the_rush() -> None:
    special = [choice.user_id for choice in choices(SPECIAL) if choice.cart or choice.coupon_id is not None]

    assert len(set(special)) == len(special) == 600
    assert set(special) <= set(SPECIAL.shoppers)


def test_special_orders_are_spread_and_leave_everybody_elses_choice_as_it_is() -> None:
    chosen = list(choices(SPECIAL))
    plain = choices(SPECIAL.model_copy(update={"coupon_orders": 0, "checkouts": 0}))

    assert [sum(c.coupon_id is not None for c in chosen[begin : begin + 1000]) for begin in (0, 9000)] == [50, 50]
    others = ((c, p) for c, p in zip(chosen, plain, strict=True) if not c.cart and c.coupon_id is None)
    assert all(choice == other for choice, other in others)
