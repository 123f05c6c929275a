from math import nan

import pytest

from doorbuster_operator.decisions.flow import measure_flow
from doorbuster_operator.model.flow import Flow
from doorbuster_operator.model.samples import Partition, PodSamples, Sample
from tests.unit.doorbuster_operator.decisions.kafka_samples import (
    NOW,
    P0,
    P1,
    SCRAPE,
    SPEC,
    TOPIC,
    every_scrape,
    group,
    measured,
    only,
    rising,
    series,
    why_missing,
)

ENDS = every_scrape(rising(10))


def test_an_end_that_is_older_than_three_scrapes_is_missing_by_its_name() -> None:
    samples = group({P0: ENDS, P1: ENDS[:-4]})

    missing = [
        f"the {what} of {TOPIC}/1 (last sample 20 s ago)" for what in ("end", "oldest offset", "committed offset")
    ]
    assert why_missing(samples) == f"not known: {', '.join(missing)}"


def test_three_scrapes_are_tolerated() -> None:
    assert measured(group({P0: ENDS}), now=NOW + 15).rate == 10
    assert "the end of" in why_missing(group({P0: ENDS}), now=NOW + 15.1)


def test_samples_a_little_in_the_future_are_tolerated_and_far_ones_are_not() -> None:
    assert measured(group({P0: ENDS}), now=NOW - 2).rate == 10
    assert "60 s ahead of our clock" in why_missing(group({P0: ENDS}), now=NOW - 60)


def test_a_topic_of_which_there_is_nothing_is_missing() -> None:
    spec = SPEC.model_copy(update={"topics": (TOPIC, "order-replies")})

    assert why_missing(group({P0: ENDS}), spec) == "not known: all offsets of topic order-replies"


def test_a_topic_that_isnt_the_scalers_is_nothing_to_it() -> None:
    other = Partition("other", 0)

    assert set(measured(group({P0: ENDS, other: ENDS[:-10]})).partitions) == {P0}


def test_a_partition_below_one_that_is_known_is_missing() -> None:
    assert f"the end of {TOPIC}/0 (no sample)" in why_missing(group({P1: ENDS}))


def test_an_oldest_offset_is_needed() -> None:
    assert why_missing(group({P0: ENDS}, oldest={P0: ()})) == f"not known: the oldest offset of {TOPIC}/0 (no sample)"


def test_a_partition_of_which_only_the_oldest_offset_is_known_is_missing() -> None:
    samples = group({P0: ENDS}, oldest={P1: every_scrape(lambda _: 0)})

    assert why_missing(samples) == f"not known: the end of {TOPIC}/1 (no sample)"


def test_many_things_that_are_missing_are_counted() -> None:
    ends = {Partition(TOPIC, number): ENDS[:-10] for number in range(4)}

    assert why_missing(group(ends)).endswith("and 9 more")


def test_a_committed_offset_that_vanished_is_missing() -> None:
    assert why_missing(group({P0: ENDS}, {P0: ENDS[:-4]})) == (
        f"not known: the committed offset of {TOPIC}/0 (last sample 20 s ago)"
    )


def test_a_committed_offset_that_never_was_is_not() -> None:
    assert measured(group({P0: ENDS, P1: ENDS}, {P0: ENDS})).partitions[P1].lag == 1_000_000
    assert measured(group({P0: ENDS}, {P0: ()}, members=ENDS)).lag == 1_000_000


def test_a_group_without_commits_and_members_can_not_be_read() -> None:
    assert why_missing(group({P0: ENDS}, {})) == (
        "not known: all committed offsets, and the group's members (no sample)"
    )
    assert "members (last sample 20 s ago)" in why_missing(group({P0: ENDS}, {}, members=ENDS[:-4]))


def test_a_group_in_which_nobody_can_be_need_not_exist() -> None:
    flow = measure_flow(group({P0: ENDS}, {}), SPEC, now=NOW, scrape_seconds=SCRAPE, may_be_new=True)

    assert isinstance(flow, Flow)
    assert flow.lag == 1_000_000


@pytest.mark.parametrize(("worked_since", "known"), [(-15.0, True), (-20.0, False)])
def test_consumers_that_finish_batches_and_a_group_without_a_commit_contradict_each_other(
    worked_since: float,
    known: bool,  # noqa: FBT001
) -> None:
    batches = every_scrape(lambda at: 8 if at >= worked_since else 0)
    samples = group({P0: ENDS}, {}, pods={"a": PodSamples(batches=batches, assigned={})}, members=ENDS)

    if known:
        assert measured(samples).lag == 1_000_000
    else:
        assert why_missing(samples) == "not known: all committed offsets, though the consumers finish batches"


def test_batches_that_a_commit_may_still_follow_contradict_nothing() -> None:
    spec = SPEC.model_copy(update={"commit_interval": 10.0})
    batches = every_scrape(lambda at: 8 if at >= -20 else 0)

    samples = group({P0: ENDS}, {}, pods={"a": PodSamples(batches=batches, assigned={})}, members=ENDS)
    assert measured(samples, spec).lag == 1_000_000


def test_a_partition_that_was_read_once_has_no_rate_yet() -> None:
    assert why_missing(group({P0: series((0, 5))})) == (
        f"not known: the rate of {TOPIC}/0, whose end was read only once yet"
    )


def test_values_that_are_no_numbers_are_ignored() -> None:
    ends = (*ENDS[:-1], Sample(NOW, nan))

    assert only(group({P0: ends})).rate == 10
