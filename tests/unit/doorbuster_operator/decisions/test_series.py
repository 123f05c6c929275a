from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster_operator.decisions.series import changed_at, clean, is_fresh, rate, since_fall, until, value_at
from doorbuster_operator.model.samples import Sample, Series

OFFSETS = st.lists(st.integers(min_value=0, max_value=10_000), min_size=2, max_size=40)


def every_five_seconds(*values: float) -> Series:
    return tuple(Sample(5.0 * index, value) for index, value in enumerate(values))


def test_values_that_are_no_numbers_are_left_out() -> None:
    assert clean((Sample(0, 1), Sample(5, nan), Sample(10, inf), Sample(15, 2))) == (Sample(0, 1), Sample(15, 2))


def test_samples_are_in_order_and_one_for_each_time() -> None:
    assert clean((Sample(5, 2), Sample(0, 1), Sample(5, 3))) == (Sample(0, 1), Sample(5, 3))


@pytest.mark.parametrize(("now", "fresh"), [(100.0, True), (115.0, True), (115.1, False), (97.0, True), (84.0, False)])
def test_a_sample_is_fresh_for_three_scrapes_and_clocks_may_differ_by_as_much(now: float, fresh: bool) -> None:  # noqa: FBT001
    assert is_fresh((Sample(100.0, 1),), now=now, scrape_seconds=5.0) is fresh


def test_without_samples_nothing_is_fresh() -> None:
    assert not is_fresh((), now=0.0, scrape_seconds=5.0)


def test_what_was_before_a_fall_is_of_another_log() -> None:
    assert since_fall(every_five_seconds(7, 9, 3, 4, 1, 1, 2)) == every_five_seconds(7, 9, 3, 4, 1, 1, 2)[4:]
    assert since_fall(every_five_seconds(1, 1, 2)) == every_five_seconds(1, 1, 2)
    assert since_fall(()) == ()


def test_a_value_between_two_samples_is_interpolated() -> None:
    samples = every_five_seconds(0, 10, 30)

    assert [value_at(samples, at) for at in (-1.0, 0.0, 2.5, 5.0, 7.5, 10.0, 11.0)] == [0, 0, 5, 10, 20, 30, 30]


def test_a_rate_is_of_the_window_that_ends_with_the_newest_sample() -> None:
    samples = every_five_seconds(0, 0, 0, 0, 50, 100)

    assert rate(samples, 10.0) == 10.0
    assert rate(samples, 20.0) == 5.0


def test_a_rate_of_a_short_series_is_of_what_there_is() -> None:
    assert rate(every_five_seconds(0, 100), 20.0) == 20.0
    assert rate(every_five_seconds(100), 20.0) == 0.0
    assert rate((), 20.0) == 0.0


def test_a_sample_that_is_missing_at_the_begin_of_the_window_changes_no_even_rate() -> None:
    samples = every_five_seconds(0, 10, 20, 30, 40, 50)

    assert rate((*samples[:3], *samples[4:]), 10.0) == pytest.approx(2.0)


def test_changes_are_dated_by_the_sample_that_shows_them() -> None:
    assert changed_at(every_five_seconds(1, 1, 2, 2, 1)) == (10.0, 20.0)


def test_until_keeps_the_sample_of_that_time() -> None:
    assert until(every_five_seconds(1, 2, 3), 5.0) == every_five_seconds(1, 2)


@given(
    values=OFFSETS, window=st.sampled_from([10.0, 20.0]), shift=st.integers(min_value=-1_000_000, max_value=1_000_000)
)
def test_a_rate_doesnt_depend_on_what_time_it_is(values: list[int], window: float, shift: int) -> None:
    samples = every_five_seconds(*values)
    shifted = tuple(Sample(at + shift, value) for at, value in samples)

    assert rate(shifted, window) == pytest.approx(rate(samples, window))


@given(values=OFFSETS)
def test_since_the_last_fall_nothing_falls(values: list[int]) -> None:
    kept = [value for _, value in since_fall(every_five_seconds(*values))]

    assert kept == sorted(kept)
    assert kept[-1] == values[-1]
