import pytest

from doorbuster_operator.decisions.need import Need, Question, needed, next_step, partitions_needed
from doorbuster_operator.model.samples import Partition
from doorbuster_operator.model.spec import Assignor

TWELVE = (1, 2, 3, 4, 6, 12)


def question(rate: float, *, partitions: int = 12, backlog: float = 0.0, current: int = 1) -> Question:
    places = [Partition("order-created", number) for number in range(partitions)]
    return Question(
        load=dict.fromkeys(places, rate / partitions),
        backlog=dict.fromkeys(places, backlog / partitions),
        utilization=0.85,
        drain_seconds=60.0,
        rebalance_seconds=3.0,
        current=current,
        assignor=Assignor.COOPERATIVE_STICKY,
    )


@pytest.mark.parametrize(("rate", "replicas"), [(0, 1), (28, 1), (29, 2), (50, 2), (56, 3), (80, 3), (100, 4)])
def test_arrivals_need_as_many_replicas_as_keep_a_reserve(rate: float, replicas: int) -> None:
    assert needed(question(rate), 33.0, TWELVE).replicas == replicas


def test_fifty_records_in_three_partitions_need_three_replicas() -> None:
    # 50 ÷ 33 is less than two, but of two replicas one would have two partitions and 33 of the 50 records.
    assert needed(question(50, partitions=3), 33.0, (1, 2, 3)).replicas == 3


def test_a_backlog_needs_more_replicas_to_drain_in_time() -> None:
    assert needed(question(20.0), 8.2, TWELVE).replicas == 3
    assert needed(question(20.0, backlog=812), 8.2, TWELVE).replicas == 6


def test_a_change_has_to_pay_for_its_rebalance() -> None:
    # 24.6 ÷ 0.85 = 28.9 a second, and 24.6 · 3 ÷ 60 = 1.2 more where three seconds of it have to be made up for.
    assert question(24.6, current=4).heaviest(4) == pytest.approx(28.94 / 4, rel=0.001)
    assert question(24.6, current=3).heaviest(4) == pytest.approx(30.17 / 4, rel=0.001)


def test_the_fewest_are_taken_that_come_nearest_when_none_suffice() -> None:
    nearest = needed(question(300, partitions=3), 33.0, (1, 2, 3))

    assert (nearest.replicas, nearest.fits) == (3, False)
    assert nearest.heaviest == pytest.approx(122.6, abs=0.1)


def test_a_hot_partition_stops_growth_where_more_replicas_change_nothing() -> None:
    places = [Partition("order-created", number) for number in range(4)]
    skewed = Question(
        load=dict(zip(places, [100.0, 1.0, 1.0, 1.0], strict=True)),
        backlog={},
        utilization=1.0,
        drain_seconds=60.0,
        rebalance_seconds=0.0,
        current=1,
        assignor=Assignor.COOPERATIVE_STICKY,
    )

    assert needed(skewed, 33.0, (1, 2, 4)) == Need(replicas=4, heaviest=100.0, fits=False)
    assert needed(skewed, 101.0, (1, 2, 4)).replicas == 2


def test_a_load_that_fits_exactly_fits() -> None:
    exact = needed(question(33 * 0.85, current=1), 33.0, TWELVE)

    assert (exact.replicas, exact.fits) == (1, True)


@pytest.mark.parametrize(("current", "following"), [(0, 1), (1, 2), (4, 6), (5, 6), (12, 12), (20, 20)])
def test_the_next_step_is_the_first_above(current: int, following: int) -> None:
    assert next_step(current, TWELVE) == following


def test_partitions_needed_are_those_of_one_replica_each() -> None:
    assert partitions_needed(question(100, partitions=3), 33.0) == 4
