import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.shapes.stages import FLASH_SALE, Course, Stage, steady

rates = st.floats(min_value=0, max_value=200, allow_subnormal=False)
stages = st.builds(Stage, seconds=st.floats(min_value=0.1, max_value=30), start=rates, end=rates)
courses = st.builds(Course, stages=st.lists(stages, min_size=1, max_size=4).map(tuple))


@pytest.mark.parametrize(
    ("seconds", "rate", "arrivals"),
    [(0, 0, 0), (15, 10, 75), (30, 20, 300), (90, 50, 2400), (150, 100, 6900), (200, 100, 11_900), (270, 100, 18_900)],
)
def test_the_flash_sale_rises_in_stages_to_a_hundred_orders_a_second(
    seconds: float, rate: float, arrivals: float
) -> None:
    assert FLASH_SALE.rate_at(seconds) == pytest.approx(rate)
    assert FLASH_SALE.arrivals_until(seconds) == pytest.approx(arrivals)


def test_the_flash_sale_takes_five_minutes_and_20400_orders() -> None:
    moments = list(FLASH_SALE.arrival_times())

    assert (FLASH_SALE.seconds, FLASH_SALE.peak, FLASH_SALE.scheduled, len(moments)) == (300, 100, 20_400, 20_400)
    assert FLASH_SALE.rate_at(300) == FLASH_SALE.rate_at(-1) == 0


def test_the_course_is_the_same_every_time() -> None:
    assert list(FLASH_SALE.arrival_times()) == list(FLASH_SALE.arrival_times())


def test_a_steady_course_has_equal_distances() -> None:
    assert list(steady(4, 1).arrival_times()) == [0.125, 0.375, 0.625, 0.875]


def test_another_peak_scales_all_rates_and_not_the_time() -> None:
    course = FLASH_SALE.scaled(25)

    assert (course.peak, course.seconds, course.scheduled) == (25, 300, 5100)
    assert course.rate_at(30) == 5


def test_another_length_stretches_the_time_and_not_the_rates() -> None:
    course = FLASH_SALE.lasting(30)

    assert (course.peak, course.seconds, course.scheduled) == (100, 30, 2040)
    assert course.rate_at(3) == 20


@given(courses)
def test_every_moment_is_the_inverse_of_what_is_due(course: Course) -> None:
    moments = list(course.arrival_times())

    assert len(moments) == course.scheduled
    assert moments == sorted(moments)
    assert all(0 <= moment <= course.seconds + 1e-9 for moment in moments)
    for number, moment in enumerate(moments):
        assert math.isclose(course.arrivals_until(moment), number + 0.5, rel_tol=1e-6, abs_tol=1e-6)


@pytest.mark.parametrize(
    ("seconds", "start", "end"), [(0, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1), (math.nan, 1, 1), (1, math.inf, 1)]
)
def test_a_stage_that_makes_no_sense_is_refused(seconds: float, start: float, end: float) -> None:
    with pytest.raises(ValueError, match="a stage takes time"):
        Stage(seconds=seconds, start=start, end=end)


def test_a_course_without_a_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one stage"):
        Course(stages=())


@pytest.mark.parametrize("peak", [0, -1, math.inf])
def test_a_peak_that_makes_no_sense_is_refused(peak: float) -> None:
    with pytest.raises(ValueError, match="can't get one"):
        FLASH_SALE.scaled(peak)
