import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster_operator.decisions.assignment import heaviest, steps, usable_replicas
from doorbuster_operator.model.samples import Partition
from doorbuster_operator.model.spec import Assignor


def topic(name: str, partitions: int) -> list[Partition]:
    return [Partition(name, number) for number in range(partitions)]


DEALING = [Assignor.ROUND_ROBIN, Assignor.STICKY, Assignor.COOPERATIVE_STICKY]


@pytest.mark.parametrize(
    ("assignor", "usable"), [(Assignor.RANGE, 12), *((assignor, 15) for assignor in DEALING)], ids=str
)
def test_range_uses_as_many_replicas_as_the_largest_topic_has_partitions(assignor: Assignor, usable: int) -> None:
    assert usable_replicas(topic("large", 12) + topic("small", 3), assignor) == usable


@pytest.mark.parametrize("assignor", [Assignor.RANGE, *DEALING])
def test_only_numbers_are_tried_that_leave_nobody_with_as_many_partitions(assignor: Assignor) -> None:
    assert steps(topic("orders", 12), assignor, most=100) == (1, 2, 3, 4, 6, 12)


def test_no_number_is_tried_above_the_most() -> None:
    assert steps(topic("orders", 12), Assignor.COOPERATIVE_STICKY, most=5) == (1, 2, 3, 4)


def test_range_has_a_step_wherever_one_of_its_topics_has_one() -> None:
    assert steps(topic("large", 4) + topic("small", 3), Assignor.RANGE, most=100) == (1, 2, 3, 4)


def test_a_group_without_partitions_has_one_step() -> None:
    assert steps([], Assignor.RANGE, most=12) == (1,)
    assert usable_replicas([], Assignor.STICKY) == 1


def test_five_of_twelve_partitions_leave_three_with_one_replica() -> None:
    demand = dict.fromkeys(topic("orders", 12), 2.0)

    assert [heaviest(demand, replicas, Assignor.STICKY) for replicas in (1, 2, 3, 4, 5, 6, 12)] == [
        24, 12, 8, 6, 6, 4, 2,
    ]  # fmt: skip


def test_range_gives_the_longer_runs_of_all_topics_to_the_same_replica() -> None:
    demand = dict.fromkeys(topic("first", 3) + topic("second", 3), 1.0)

    assert heaviest(demand, 2, Assignor.RANGE) == 4
    assert heaviest(demand, 2, Assignor.ROUND_ROBIN) == 3


def test_range_keeps_neighbours_together() -> None:
    demand = dict(zip(topic("orders", 4), [5.0, 5.0, 1.0, 1.0], strict=True))

    assert heaviest(demand, 2, Assignor.RANGE) == 10
    assert heaviest(demand, 2, Assignor.ROUND_ROBIN) == 6


def test_one_hot_partition_stays_whole_whatever_the_number() -> None:
    demand = dict(zip(topic("orders", 3), [30.0, 1.0, 1.0], strict=True))

    assert heaviest(demand, 3, Assignor.COOPERATIVE_STICKY) == 30


@given(
    loads=st.lists(st.floats(min_value=0, max_value=1_000), min_size=1, max_size=20),
    replicas=st.integers(min_value=1, max_value=25),
    assignor=st.sampled_from(Assignor),
)
def test_the_heaviest_is_between_an_even_share_and_everything(
    loads: list[float], replicas: int, assignor: Assignor
) -> None:
    demand = dict(zip(topic("orders", len(loads)), loads, strict=True))

    load = heaviest(demand, replicas, assignor)

    assert max(sum(loads) / replicas, *loads) <= load * (1 + 1e-9)
    assert load <= sum(loads) * (1 + 1e-9)
