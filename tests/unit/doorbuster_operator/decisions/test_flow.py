import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster_operator.decisions.flow import FAST_SECONDS, STABLE_SECONDS
from doorbuster_operator.model.samples import GroupSamples, Sample, Series
from tests.unit.doorbuster_operator.decisions.kafka_samples import (
    NOW,
    P0,
    P1,
    SPEC,
    consumer,
    every_scrape,
    group,
    measured,
    only,
    rising,
    series,
)

ALONE = every_scrape(lambda _: 1)

# Rates


def test_arrivals_and_commits_are_by_the_second() -> None:
    flow = only(group({P0: every_scrape(rising(40))}, {P0: every_scrape(rising(30, at_now=900_000))}))

    assert (flow.rate, flow.fast_rate, flow.committed_rate) == (40, 40, 30)


def test_an_end_that_goes_back_is_a_new_log() -> None:
    ends = series((-20, 900), (-15, 950), (-10, 0), (-5, 50), (0, 100))

    flow = only(group({P0: ends}))

    assert flow.rate == flow.fast_rate == 10


def test_the_fast_rate_is_a_burst_when_chance_doesnt_explain_it() -> None:
    ends = series((-20, 0), (-15, 100), (-10, 200), (-5, 350), (0, 500))

    flow = measured(group({P0: ends}))

    assert (flow.rate, flow.burst, flow.load[P0]) == (25, True, 30)


def test_a_little_more_than_before_is_no_burst() -> None:
    # 27 for 23.5 is more by 2.3 standard deviations.
    ends = series((-20, 0), (-15, 100), (-10, 200), (-5, 335), (0, 470))

    flow = measured(group({P0: ends}))

    assert (flow.burst, flow.load[P0]) == (False, 23.5)


def test_bursts_are_judged_by_the_total() -> None:
    # A partition that doubles while the other one goes silent is one producer with another key.
    up = series((-20, 0), (-15, 100), (-10, 200), (-5, 400), (0, 600))
    down = series((-20, 0), (-15, 200), (-10, 400), (-5, 500), (0, 600))

    assert not measured(group({P0: up, P1: down})).burst


# Lag, backlog and age


def test_lag_is_what_lies_between_the_committed_offset_and_the_end() -> None:
    flow = only(group({P0: every_scrape(rising(10))}, {P0: every_scrape(rising(10, at_now=1_000_000 - 500))}))

    assert flow.lag == 500


def test_what_the_commit_interval_explains_is_no_backlog() -> None:
    spec = SPEC.model_copy(update={"commit_interval": 3.0})
    ends = every_scrape(rising(10))

    assert only(group({P0: ends}, {P0: every_scrape(rising(10, at_now=1_000_000 - 40))}), spec).backlog == 0
    assert only(group({P0: ends}, {P0: every_scrape(rising(10, at_now=1_000_000 - 90))}), spec).backlog == 40


def test_a_partition_that_was_never_committed_waits_from_its_oldest_record_on() -> None:
    oldest = every_scrape(lambda _: 999_700)

    flow = only(group({P0: every_scrape(rising(10))}, {}, oldest={P0: oldest}, members=ALONE))

    assert flow.lag == 300
    assert flow.age == pytest.approx(30, abs=0.2)


def test_records_that_retention_has_deleted_dont_wait() -> None:
    oldest = every_scrape(lambda at: 999_900 if at > -20 else 0)

    flow = only(group({P0: every_scrape(rising(10))}, {P0: every_scrape(lambda _: 500)}, oldest={P0: oldest}))

    assert flow.lag == 100
    assert flow.age == pytest.approx(10, abs=0.2)


def test_a_group_that_was_set_back_has_all_of_it_before_it() -> None:
    committed = every_scrape(lambda at: 1_000_000 + 10 * at if at < -30 else 2_000)

    flow = only(group({P0: every_scrape(rising(10))}, {P0: committed}))

    assert flow.lag == 998_000
    assert flow.age == 300
    assert flow.committed_rate == 0


def test_a_position_behind_the_end_of_a_new_log_is_no_lag() -> None:
    flow = only(group({P0: series((-10, 0), (-5, 1), (0, 2))}, {P0: series((-10, 900), (-5, 900), (0, 900))}))

    assert (flow.lag, flow.age, flow.still_seconds) == (0, 0, 0)


def test_the_age_is_when_the_end_was_where_the_committed_offset_is() -> None:
    flow = only(group({P0: every_scrape(rising(10))}, {P0: every_scrape(lambda _: 999_920)}))

    assert flow.age == pytest.approx(8.0, abs=0.1)


def test_the_age_of_a_lone_record_is_half_the_time_in_which_it_came() -> None:
    flow = only(group({P0: series((-10, 7), (-5, 7), (0, 8))}, {P0: series((-10, 7), (-5, 7), (0, 7))}))

    assert flow.age == 2.5


def test_a_record_that_came_after_a_quiet_time_isnt_as_old_as_that() -> None:
    ends = every_scrape(rising(100, until=-100))
    later = tuple(Sample(at, value + (5 if at >= NOW - 10 else 0)) for at, value in ends)

    assert only(group({P0: later}, {P0: ends})).age == pytest.approx(10 + 5 * 5 / 6, abs=0.01)


def test_what_is_older_than_the_history_is_at_least_as_old_as_that() -> None:
    flow = only(group({P0: every_scrape(rising(10), seconds=60)}, {P0: every_scrape(lambda _: 5, seconds=60)}))

    assert flow.age == 60


def test_a_group_that_works_isnt_late_by_the_time_between_two_readings() -> None:
    ends = every_scrape(rising(100))
    committed = every_scrape(rising(100, at_now=1_000_000 - 50))

    flow = measured(group({P0: ends}, {P0: committed}), now=NOW + 9)

    assert flow.age == pytest.approx(0.5, abs=0.1)


def test_the_end_of_a_reading_without_its_commit_isnt_compared_with_an_older_commit() -> None:
    ends = every_scrape(rising(100))

    flow = only(group({P0: ends}, {P0: ends[:-1]}))

    assert (flow.lag, flow.rate) == (0, 100)


# One record


def test_one_record_that_nobody_finishes_waits_whoever_has_the_partition() -> None:
    ends = every_scrape(rising(100, until=-45))
    committed = tuple(Sample(at, value - 1) for at, value in ends)

    flow = only(group({P0: ends}, {P0: committed}, pods={"a": consumer(P0)}))

    assert flow.lag == 1
    assert flow.age == pytest.approx(45, abs=0.1)
    assert flow.still_seconds == 45


def test_one_record_that_just_came_is_a_record() -> None:
    flow = only(
        group({P0: series((-10, 7), (-5, 7), (0, 8))}, {P0: series((-10, 7), (0, 7))}, pods={"a": consumer(P0)})
    )

    assert flow.lag == 1


# Stillness


def test_a_committed_offset_is_still_since_it_moved_last() -> None:
    committed = every_scrape(rising(10, at_now=999_900, until=-70))

    assert only(group({P0: every_scrape(rising(10))}, {P0: committed})).still_seconds == 70


def test_it_is_still_only_since_there_was_lag() -> None:
    ends = every_scrape(lambda at: 500 if at < -30 else 501)

    assert only(group({P0: ends}, {P0: every_scrape(lambda _: 500)})).still_seconds == 30


def test_a_rebalance_doesnt_make_a_still_partition_move() -> None:
    committed = {P0: every_scrape(lambda _: 999_000)}
    pods = {"a": consumer(P0), "b": consumer(P0, since=-20)}

    flow = measured(group({P0: every_scrape(rising(10))}, committed, pods=pods))

    assert flow.rebalanced_at == NOW - 20
    assert flow.partitions[P0].still_seconds == pytest.approx(95, abs=5)


def test_a_partition_that_moves_isnt_still() -> None:
    committed = {P0: every_scrape(rising(1, at_now=900_000))}

    assert only(group({P0: every_scrape(rising(10))}, committed)).still_seconds == 0


def test_a_group_that_never_began_is_still_since_there_is_something() -> None:
    ends = every_scrape(lambda at: 5 if at >= -50 else 0)

    assert only(group({P0: ends}, {}, members=ALONE)).still_seconds == 50


def test_the_history_is_as_long_as_that_of_the_shortest_partition() -> None:
    ends = {P0: every_scrape(rising(1)), P1: every_scrape(rising(1), seconds=40)}

    assert measured(group(ends)).seconds == 40


# What always holds

CURVES = st.lists(st.integers(min_value=0, max_value=500), min_size=8, max_size=61)


def summed(steps: list[int], *, begin: int = 0) -> Series:
    ends, offset = [], begin
    for step in steps:
        offset += step
        ends.append(offset)
    return series(*((-5.0 * back, end) for back, end in zip(range(len(ends) - 1, -1, -1), ends, strict=True)))


@st.composite
def any_group(draw: st.DrawFn) -> GroupSamples:
    ends = summed(draw(CURVES))
    committed = tuple(Sample(at, draw(st.integers(0, 6_000))) for at, _ in ends)
    oldest = tuple(Sample(at, draw(st.integers(0, 6_000))) for at, _ in ends)
    return group({P0: ends}, draw(st.sampled_from([{P0: committed}, {}])), oldest={P0: oldest}, members=ALONE)


@given(samples=any_group())
def test_nothing_is_negative_and_no_age_is_longer_than_the_history(samples: GroupSamples) -> None:
    flow = measured(samples)
    partition = flow.partitions[P0]

    assert min(partition.rate, partition.fast_rate, partition.committed_rate) >= 0
    assert partition.lag >= partition.backlog >= 0
    assert 0 <= partition.age <= flow.seconds
    assert 0 <= partition.still_seconds <= flow.seconds
    assert (partition.age > 0) is (partition.lag > 0)


def shifted(samples: GroupSamples, seconds: float) -> GroupSamples:
    def move(each: Series) -> Series:
        return tuple(Sample(at + seconds, value) for at, value in each)

    return replace(
        samples,
        ends={place: move(each) for place, each in samples.ends.items()},
        oldest={place: move(each) for place, each in samples.oldest.items()},
        committed={place: move(each) for place, each in samples.committed.items()},
        members=move(samples.members),
    )


@given(samples=any_group(), seconds=st.integers(min_value=-100_000_000, max_value=100_000_000))
def test_it_doesnt_matter_what_time_it_is(samples: GroupSamples, seconds: int) -> None:
    assert measured(shifted(samples, seconds), now=NOW + seconds) == measured(samples)


@given(rate=st.floats(min_value=0, max_value=2_000), lost=st.integers(min_value=0, max_value=60))
def test_a_scrape_that_is_lost_changes_an_even_rate_by_little(rate: float, lost: int) -> None:
    ends = every_scrape(rising(rate, at_now=10_000_000))

    flow = only(group({P0: (*ends[:lost], *ends[lost + 1 :])}))

    assert flow.rate == pytest.approx(rate, abs=1.5 / STABLE_SECONDS)
    assert flow.fast_rate == pytest.approx(rate, abs=1.5 / FAST_SECONDS)


def test_chance_is_seldom_taken_for_a_burst() -> None:
    chance = random.Random(18)
    bursts = 0
    for _ in range(400):
        steps = [sum(chance.expovariate(40) < 0.05 for _ in range(230)) for _ in range(6)]
        bursts += measured(group({P0: summed(steps)})).burst

    assert bursts <= 4
