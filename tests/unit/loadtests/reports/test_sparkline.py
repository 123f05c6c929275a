import pytest

from loadtests.reports.sparkline import sparkline
from loadtests.reports.timeline import Moment, Phase


def seen(*lags: int | None) -> list[Moment]:
    return [Moment(seconds=float(second), phase=Phase.PEAK, lag=lag) for second, lag in enumerate(lags)]


def bars(moments: list[Moment], *, columns: int = 8, seconds: float = 8.0) -> tuple[str, float | None]:
    return sparkline(moments, lambda each: each.lag, seconds=seconds, columns=columns, least=10)


def test_the_highest_value_is_a_full_bar_and_nothing_is_the_lowest() -> None:
    assert bars(seen(0, 10, 20, 30, 40, 50, 60, 70)) == ("▁▂▃▄▅▆▇█", 70)


def test_the_newest_is_at_the_right_and_what_was_before_the_first_is_blank() -> None:
    assert bars(seen(0, 70)) == ("      ▁█", 70)


def test_what_is_not_known_is_a_dot_and_not_nothing() -> None:
    assert bars(seen(70, None, 0)) == ("     █·▁", 70)
    assert bars(seen(None, None)) == ("      ··", None)


def test_without_a_moment_all_is_blank() -> None:
    assert bars([]) == (" " * 8, None)


def test_little_does_not_look_like_much() -> None:
    assert bars(seen(0, 1)) == ("      ▁▂", 1)


def test_several_moments_share_a_column_and_the_highest_is_shown() -> None:
    assert bars(seen(10, 70, 10, 10), columns=2, seconds=4.0) == ("█▂", 70)


def test_what_is_too_old_is_left_out() -> None:
    assert bars(seen(500, 70, 70), columns=2, seconds=2.0) == ("██", 70)


@pytest.mark.parametrize("columns", [1, 7, 60])
def test_there_are_as_many_bars_as_columns(columns: int) -> None:
    assert len(bars(seen(*range(100)), columns=columns, seconds=50.0)[0]) == columns
