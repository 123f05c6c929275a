from dataclasses import replace

from doorbuster_operator.model.samples import PodSamples
from tests.unit.doorbuster_operator.decisions.kafka_samples import (
    NOW,
    P0,
    P1,
    consumer,
    every_scrape,
    group,
    measured,
    rising,
    series,
)

ENDS = {place: every_scrape(rising(10)) for place in (P0, P1)}


def test_partitions_that_live_consumers_have_are_counted_once() -> None:
    pods = {"a": consumer(P0, P1), "b": consumer(P1)}

    assert measured(group(ENDS, pods=pods)).assigned == 2


def test_a_consumer_that_isnt_scraped_any_more_has_nothing() -> None:
    gone = consumer(P0)
    gone = replace(gone, batch_limit=gone.batch_limit[:-4], rebalances=gone.rebalances[:-4])
    gone = replace(gone, assigned={P0: gone.assigned[P0][:-4]})

    assert measured(group(ENDS, pods={"gone": gone, "b": consumer(P1)})).assigned == 1
    assert measured(group(ENDS, pods={"gone": gone})).assigned is None


def test_a_partition_that_was_given_up_isnt_counted_from_the_next_scrape_on() -> None:
    pod = consumer(P0, P1)
    ended = replace(pod, assigned={P0: pod.assigned[P0], P1: pod.assigned[P1][:-1]})
    zero = replace(pod, assigned={P0: pod.assigned[P0], P1: every_scrape(lambda at: float(at < 0))})

    for each in (ended, zero):
        flow = measured(group(ENDS, pods={"a": each}))
        assert (flow.assigned, flow.rebalanced_at) == (1, NOW)


def test_a_consumer_without_partitions_says_that_it_has_none() -> None:
    assert measured(group(ENDS, pods={"a": consumer()})).assigned == 0


def test_without_consumers_nobody_says_what_is_assigned() -> None:
    assert measured(group(ENDS)).assigned is None
    assert measured(group(ENDS, pods={"a": PodSamples(assigned={})})).assigned is None


def test_an_assignment_counted_by_a_consumer_is_a_rebalance() -> None:
    pod = replace(consumer(P0, P1), rebalances=every_scrape(lambda at: 1 + (at >= -120) + (at >= -60)))

    assert measured(group(ENDS, pods={"a": pod})).rebalanced_at == NOW - 60


def test_without_a_change_there_was_no_rebalance() -> None:
    assert measured(group(ENDS, pods={"a": consumer(P0, P1)})).rebalanced_at is None


def test_a_consumer_that_joined_within_the_history_was_a_rebalance() -> None:
    pods = {"a": consumer(P0, P1), "b": consumer(since=-40)}

    assert measured(group(ENDS, pods=pods)).rebalanced_at == NOW - 40


def test_a_consumer_that_hasnt_joined_yet_was_none() -> None:
    waiting = replace(consumer(since=-40), rebalances=series((-40, 0), (0, 0)))

    assert measured(group(ENDS, pods={"a": consumer(P0, P1), "b": waiting})).rebalanced_at is None


def test_a_consumer_that_is_as_old_as_the_history_is_not() -> None:
    ends = {place: each[-10:] for place, each in ENDS.items()}

    assert measured(group(ends, pods={"a": consumer(P0, P1, since=-40)})).rebalanced_at is None


def test_members_are_known_while_fresh() -> None:
    members = every_scrape(lambda _: 3)

    assert measured(group(ENDS, members=members)).members == 3
    assert measured(group(ENDS, members=members[:-4])).members is None


def test_where_no_consumer_says_anything_its_members_tell_of_a_rebalance() -> None:
    assert measured(group(ENDS, members=series((-10, 3), (-5, 4), (0, 4)))).rebalanced_at == NOW - 5


def test_where_consumers_say_it_themselves_members_that_are_read_later_dont_count() -> None:
    members = series((-10, 3), (-5, 4), (0, 4))

    assert measured(group(ENDS, pods={"a": consumer(P0, P1)}, members=members)).rebalanced_at is None
