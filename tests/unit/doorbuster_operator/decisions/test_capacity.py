from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster_operator.decisions.capacity import measure_work
from doorbuster_operator.model.capacity import Work
from doorbuster_operator.model.samples import PodSamples, Sample, Series
from tests.unit.doorbuster_operator.decisions.batch_consumer import (
    BatchConsumer,
    delayed_consumer,
    line,
    saga_consumer,
    worked,
)
from tests.unit.doorbuster_operator.decisions.kafka_samples import NOW, SCRAPE, SPEC

SAGA = 500 / 0.035
DELAYED = 4 / 0.49
NOTHING = Work(capacity=None, one_size=False, fill=None, busy=None)


def work_of(*pods: PodSamples, now: float = NOW, since: float = 0.0) -> Work:
    named = {str(number): pod for number, pod in enumerate(pods)}
    return measure_work(named, now=now, scrape_seconds=SCRAPE, since=since)


def capacity_of(*pods: PodSamples, now: float = NOW, since: float = 0.0) -> float:
    capacity = work_of(*pods, now=now, since=since).capacity
    assert capacity is not None
    return capacity


def ramp(at: float) -> float:
    """From 100 to 2,000 records a second in four minutes, then even."""
    return min(2_000.0, 100.0 + 1_900.0 * (at + 300.0) / 240.0)


# The worlds of P18 and P19


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_a_consumer_that_is_always_busy_has_the_capacity_of_full_batches(noise: float, seed: int) -> None:
    work = work_of(saga_consumer(noise=noise, seed=seed).run(ramp))

    assert work.busy is not None
    assert work.busy > 0.95
    assert work.capacity == pytest.approx(SAGA, rel=0.12)
    assert not work.one_size


def test_two_thousand_a_second_stay_far_below_what_one_replica_can_do() -> None:
    assert capacity_of(saga_consumer(noise=0.2).run(ramp)) * SPEC.utilization > 5 * 2_000


def test_an_even_load_on_a_consumer_that_is_always_busy_gives_a_lower_bound_only() -> None:
    work = work_of(saga_consumer().run(lambda _: 2_000))

    assert work.one_size
    assert work.fill is not None
    assert work.fill < 0.1
    assert work.capacity == pytest.approx(2_000, rel=0.05)


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_a_delayed_consumer_with_too_much_to_do_is_measured_at_its_limit(noise: float, seed: int) -> None:
    work = work_of(delayed_consumer(noise=noise, seed=seed).run(lambda _: 20))

    assert work.one_size
    assert work.fill == 1
    assert work.capacity == pytest.approx(DELAYED, rel=0.05)


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_a_delayed_consumer_that_isnt_full_is_measured_too(noise: float, seed: int) -> None:
    work = work_of(delayed_consumer(noise=noise, seed=seed).run(lambda at: 2 + 6 * (at + 300) / 300))

    assert work.capacity == pytest.approx(DELAYED, rel=0.12)


@pytest.mark.parametrize(("since", "least", "most"), [(-60.0, 0.09, 0.2), (-120.0, 0.13, 0.2)])
def test_messages_that_got_heavier_show_within_minutes(since: float, least: float, most: float) -> None:
    heavier = BatchConsumer(fixed=0.0, per_record=lambda at: 0.12 if at >= since else 0.1, limit=5)

    loss = 1 - capacity_of(heavier.run(lambda _: 50)) / 10

    # 20 % heavier is 16.7 % less.
    assert least / 1.2 <= loss <= most / 1.2 + 0.001


# What spoils a fit


def test_one_batch_that_waited_for_half_a_minute_doesnt_spoil_the_fit() -> None:
    sizes = [100.0, 120, 200, 140, 160, 300, 180, 220] * 4
    blocked = line(*sizes)
    late = worked(
        *((10, 10 * size, 10 * (0.01 + 0.001 * size)) for size in sizes[:20]),
        (1, 500, 30.0),
        *((10, 10 * size, 10 * (0.01 + 0.001 * size)) for size in sizes[20:]),
    )

    assert capacity_of(late) == pytest.approx(capacity_of(blocked), rel=0.01)


def test_a_few_batches_that_waited_a_little_make_it_a_little_too_low() -> None:
    intervals = [(10.0, 10 * size, 10 * (0.01 + 0.001 * size)) for size in [100.0, 500, 200, 400, 300] * 8]
    waited = [(n, records, busy * (1.9 if index % 7 == 0 else 1)) for index, (n, records, busy) in enumerate(intervals)]

    assert 0.75 <= capacity_of(worked(*waited)) / (500 / 0.51) <= 1


@pytest.mark.parametrize(("minutes", "most"), [(1.5, 1.5), (3, 1.15)])
def test_when_everything_became_thirty_times_slower_that_is_most_of_it_soon(minutes: float, most: float) -> None:
    slow = round(minutes * 12)

    capacity = capacity_of(worked(*[(300.0, 1_200.0, 4.5)] * (60 - slow), *[(10.0, 40.0, 4.5)] * slow, limit=4))

    assert 1 <= capacity / (4 / 0.45) <= most


def test_sizes_too_noisy_to_tell_a_full_batchs_cost_give_a_lower_bound() -> None:
    noisy = [(5, 0.1), (7, 0.14), (9, 0.11), (5, 0.13), (7, 0.1), (9, 0.14), (5, 0.11), (7, 0.13), (9, 0.1)]

    work = work_of(worked(*((10.0, 10.0 * size, 10 * seconds) for size, seconds in noisy)))

    assert work.one_size
    assert work.capacity == pytest.approx(7 / 0.12, rel=0.05)


def test_the_parts_of_a_cost_are_never_negative() -> None:
    # Larger batches that took less time: b would be negative. Time out of proportion to the size: a would be.
    shrinking = worked(*((10.0, 10.0 * size, 10 * (0.5 - size / 5_000)) for size in [100, 200, 300, 400] * 10))
    growing = worked(*((10.0, 10.0 * size, 10 * (size / 1_000 - 0.01)) for size in [400, 450, 480, 500] * 10))

    assert capacity_of(shrinking) == pytest.approx(500 / 0.45, rel=0.02)
    assert capacity_of(growing) == pytest.approx(500 / 0.489, rel=0.02)


# Counters


def test_a_line_is_found_again() -> None:
    work = work_of(line(100, 200, 300, 100, 200, 300))

    assert work.capacity == pytest.approx(500 / 0.51)
    assert not work.one_size
    assert work.fill == pytest.approx(0.4)


def test_a_few_points_on_a_line_may_be_there_by_chance() -> None:
    work = work_of(line(100, 200, 300))

    assert work.one_size
    assert work.capacity == pytest.approx(200 / 0.21, rel=0.05)


def test_all_consumers_together_make_the_line() -> None:
    assert capacity_of(line(100, 100, 100), line(300, 300, 300)) == pytest.approx(500 / 0.51)


def test_a_consumer_that_began_anew_counts_from_zero() -> None:
    before, after = line(100, 200, 300, 100), line(200, 300)
    moved = replace(
        before,
        batches=shifted(before.batches, -15) + after.batches,
        records=shifted(before.records, -15) + after.records,
        busy_seconds=shifted(before.busy_seconds, -15) + after.busy_seconds,
    )

    # Seven batches in 0.7 s were counted before the new process was scraped first.
    assert work_of(moved).busy == pytest.approx((1.1 + 2.1 + 3.1 + 1.1 + 0.7 + 2.1 + 3.1) / 35)
    assert capacity_of(moved) > 0


def test_the_fewest_batches_and_intervals_that_say_something() -> None:
    assert work_of(line(100, 200, batches=50)).capacity is None
    assert work_of(line(100, 200, 300, 100, batches=1)).capacity is None
    assert work_of(line(100, 200, 300, batches=2)).capacity is not None


def test_a_limit_is_needed() -> None:
    work = work_of(replace(line(100, 200, 300, 400), batch_limit=()))

    assert (work.capacity, work.one_size, work.fill) == (None, False, None)
    assert work.busy is not None


def test_idle_intervals_are_no_batches() -> None:
    idle = worked(*((0, 0, 0),) * 8)

    assert work_of(idle) == Work(capacity=None, one_size=False, fill=None, busy=0)
    assert capacity_of(idle, line(100, 200, 300, 100, 200, 300)) == pytest.approx(500 / 0.51)


def test_without_consumers_nothing_is_known() -> None:
    assert work_of() == NOTHING


def test_nothing_before_since_counts() -> None:
    slow_then_fast = worked(*((1, 4, 0.49),) * 20, *((10, 1_000, 1.1), (10, 2_000, 2.1), (10, 3_000, 3.1)) * 2)

    assert capacity_of(slow_then_fast, since=NOW - 30) == pytest.approx(500 / 0.51)
    assert work_of(slow_then_fast, since=NOW - 10).capacity is None


def test_fill_and_busy_are_of_the_last_half_minute_and_of_consumers_that_live() -> None:
    tired = worked(*((10, 5_000, 5.0),) * 20, *((1, 50, 0.5),) * 7)
    busier = worked(*((2, 100, 2.0),) * 7)
    gone = worked(*((10, 5_000, 5.0),) * 4, until=NOW - 16)

    work = work_of(tired, busier, gone)

    assert work.fill == pytest.approx((50 + 100) / (3 * 500))
    assert work.busy == pytest.approx(0.4)


def test_a_consumer_isnt_busier_than_always() -> None:
    assert work_of(worked((1, 100, 0.1), (1, 500, 12.0))).busy == 1


def test_while_consumers_differ_the_smaller_limit_holds() -> None:
    assert capacity_of(
        line(100, 200, 300, 100, 300), replace(line(200), batch_limit=(Sample(NOW, 100),))
    ) == pytest.approx(100 / 0.11)


# What always holds

INTERVALS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 500), st.floats(0.001, 0.5)), min_size=3, max_size=20
).map(lambda drawn: [(float(n), float(n * size), n * seconds) for n, size, seconds in drawn])


def shifted(series: Series, seconds: float) -> Series:
    return tuple(Sample(at + seconds, value) for at, value in series)


def pod_shifted(pod: PodSamples, seconds: float) -> PodSamples:
    return replace(
        pod,
        batches=shifted(pod.batches, seconds),
        records=shifted(pod.records, seconds),
        busy_seconds=shifted(pod.busy_seconds, seconds),
        batch_limit=shifted(pod.batch_limit, seconds),
    )


@given(intervals=INTERVALS)
def test_a_capacity_is_between_the_slowest_and_the_fastest_record(intervals: list[tuple[float, float, float]]) -> None:
    work = work_of(worked(*intervals))

    if work.capacity is not None:
        assert 0 < work.capacity <= 500.001 / min(busy / n for n, _, busy in intervals if n)
    assert work.busy is None or 0 <= work.busy <= 1
    assert work.fill is None or 0 < work.fill <= 1


@given(intervals=INTERVALS, seconds=st.integers(-100_000_000, 100_000_000))
def test_it_doesnt_matter_what_time_it_is(intervals: list[tuple[float, float, float]], seconds: int) -> None:
    pod = worked(*intervals)

    assert work_of(pod_shifted(pod, seconds), now=NOW + seconds) == work_of(pod)


@given(
    fixed=st.floats(0.001, 0.1),
    per_record=st.floats(0.000_01, 0.01),
    sizes=st.lists(st.sampled_from([20.0, 60.0, 200.0, 400.0]), min_size=4, max_size=40),
)
def test_any_line_is_found_again_or_bounded_from_below(fixed: float, per_record: float, sizes: list[float]) -> None:
    work = work_of(line(*sizes, fixed=fixed, per_record=per_record))
    true = 500 / (fixed + per_record * 500)

    assert work.capacity is not None
    assert work.capacity <= true * 1.001
    assert work.one_size or work.capacity == pytest.approx(true, rel=0.01)
    assert true <= 1.001 / per_record


@pytest.mark.parametrize("lost", range(1, 60, 7))
def test_a_scrape_that_is_lost_changes_little(lost: int) -> None:
    pod = delayed_consumer(noise=0.2).run(lambda at: 2 + 6 * (at + 300) / 300)
    holed = replace(
        pod,
        batches=pod.batches[:lost] + pod.batches[lost + 1 :],
        records=pod.records[:lost] + pod.records[lost + 1 :],
        busy_seconds=pod.busy_seconds[:lost] + pod.busy_seconds[lost + 1 :],
    )

    assert capacity_of(holed) == pytest.approx(capacity_of(pod), rel=0.03)
