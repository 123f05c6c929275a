import pytest

from doorbuster_operator.decisions.keda import keda_replicas


@pytest.mark.parametrize(("lag", "replicas"), [(0, 1), (1, 1), (10, 1), (11, 2), (45, 5), (1_000, 12)], ids=str)
def test_keda_asks_for_one_replica_for_each_ten_records(lag: int, replicas: int) -> None:
    assert keda_replicas(lag, partitions=12, minimum=1, maximum=100) == replicas


def test_keda_asks_for_none_without_lag_if_it_may() -> None:
    assert keda_replicas(0, partitions=12, minimum=0, maximum=100) == 0


def test_keda_stays_below_the_maximum() -> None:
    assert keda_replicas(1_000, partitions=12, minimum=1, maximum=4) == 4


def test_keda_keeps_the_minimum_even_above_the_partitions() -> None:
    assert keda_replicas(1_000, partitions=3, minimum=5, maximum=8) == 5
