from doorbuster_operator.decisions.sizing import size
from doorbuster_operator.model.samples import Partition
from tests.unit.doorbuster_operator.decisions.seeing import TOPIC, even_flow, flow, partition_flow, seen, sizing, spec


def test_arrivals_and_backlog_are_answered_apart() -> None:
    answer = sizing(20.3, backlog=500, of=8.2)

    assert (answer.arrivals.replicas, answer.wanted.replicas, answer.out.replicas) == (4, 6, 6)


def test_a_backlog_is_not_counted_while_a_change_settles() -> None:
    busy = even_flow(20.3, backlog=500 / 12)

    answer = size(seen(4), busy, 8.2, settling=True)

    assert answer.out.replicas == 4
    assert answer.down.replicas == 6


def test_what_is_wanted_may_be_more_than_what_is_allowed() -> None:
    answer = size(seen(1, spec=spec(max_replicas=3)), even_flow(100), 33.0, settling=False)

    assert (answer.wanted.replicas, answer.out.replicas) == (4, 3)


def test_scaling_in_wants_a_larger_reserve() -> None:
    answer = size(seen(2), even_flow(54), 33.0, settling=False)

    assert (answer.out.replicas, answer.down.replicas) == (2, 3)


def test_no_number_of_replicas_carries_a_hundred_records_in_three_partitions() -> None:
    answer = sizing(100, partitions=3)

    assert not answer.arrivals.fits
    assert answer.partitions == 4
    assert answer.out.replicas == 3


def test_a_backlog_alone_does_not_ask_for_partitions() -> None:
    answer = sizing(20, backlog=100_000, partitions=3)

    assert answer.partitions is None
    assert not answer.wanted.fits


def test_a_partition_with_more_than_a_replica_can_do_is_hot() -> None:
    skewed = flow(partition_flow(40.0), *[partition_flow(2.0)] * 11)

    assert size(seen(1), skewed, 33.0, settling=False).hot == (Partition(TOPIC, 0),)


def test_a_burst_is_sized_for_by_its_last_seconds() -> None:
    burst = flow(*[partition_flow(1.0, fast_rate=5.0)] * 12, burst=True)

    answer = size(seen(1), burst, 33.0, settling=False)

    assert (answer.out.replicas, answer.down.replicas) == (3, 1)
