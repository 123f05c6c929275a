from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster_operator.decisions.chance import cautious, evened
from doorbuster_operator.model.samples import Partition
from tests.unit.doorbuster_operator.simulation.traffic import chance_count


def rates(*values: float, topic: str = "orders") -> dict[Partition, float]:
    return {Partition(topic, number): value for number, value in enumerate(values)}


def test_differences_that_chance_explains_are_evened_out() -> None:
    chance = Random(7)
    counted = rates(*[chance_count(26, chance) / 20 for _ in range(12)])

    spread = evened(counted, 20.0).values()

    assert max(spread) - min(spread) < 0.1 * (max(counted.values()) - min(counted.values()))


def test_skewed_keys_stay_skewed() -> None:
    skewed = rates(32.0, 10.0, 9.0, 8.0, 8.0, 7.0, 6.0, 5.0, 5.0, 4.0, 3.0, 3.0)

    assert evened(skewed, 20.0)[Partition("orders", 0)] == pytest.approx(32.0, rel=0.05)


def test_topics_are_not_evened_out_against_each_other() -> None:
    both = rates(10.0, 10.0, topic="busy") | rates(1.0, 1.0, topic="quiet")

    assert evened(both, 20.0) == pytest.approx(both)


def test_one_partition_stays_what_it_is() -> None:
    assert evened(rates(3.0), 20.0) == rates(3.0)


@given(st.lists(st.floats(min_value=0, max_value=1_000), min_size=1, max_size=20))
def test_evening_out_keeps_the_sum_and_makes_nothing_negative(values: list[float]) -> None:
    evened_out = evened(rates(*values), 20.0)

    assert sum(evened_out.values()) == pytest.approx(sum(values), abs=1e-6)
    assert min(evened_out.values()) >= -1e-9


def test_caution_adds_two_standard_deviations_of_what_was_counted() -> None:
    assert cautious(rates(1.0, 4.0), 20.0) == pytest.approx(rates(1.2, 4.8))


def test_no_arrivals_stay_none() -> None:
    assert cautious(rates(0.0, 0.0), 20.0) == rates(0.0, 0.0)
