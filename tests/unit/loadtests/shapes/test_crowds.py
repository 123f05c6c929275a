import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.shapes.crowds import Crowd

SPIKE = Crowd(visitors=500, rise_seconds=10, hold_seconds=30, fall_seconds=10)


@pytest.mark.parametrize(
    ("seconds", "present"), [(0, 1), (5, 251), (9.99, 500), (10, 500), (39.9, 500), (45, 249), (49.99, 0), (50, 0)]
)
def test_a_spike_rises_holds_and_falls(seconds: float, present: int) -> None:
    assert SPIKE.present_at(seconds) == pytest.approx(present, abs=1)


def test_everybody_stays_equally_long_where_coming_takes_as_long_as_leaving() -> None:
    assert {round(stay.end - stay.begin, 9) for stay in SPIKE.stays()} == {40.0}


def test_without_a_rise_all_are_there_at_once() -> None:
    smoke = Crowd(visitors=10, rise_seconds=0, hold_seconds=30, fall_seconds=0)

    assert (smoke.present_at(0), smoke.present_at(29.9), smoke.present_at(30)) == (10, 10, 0)
    assert smoke.seconds == 30


@given(st.integers(1, 50), st.floats(0, 60, allow_nan=False), st.floats(0, 60, allow_nan=False), st.floats(0, 60))
def test_nobody_leaves_before_they_came_or_stays_too_long(visitors: int, rise: float, hold: float, fall: float) -> None:
    crowd = Crowd(visitors=visitors, rise_seconds=rise, hold_seconds=hold, fall_seconds=fall)
    stays = list(crowd.stays())

    assert len(stays) == visitors
    assert all(0 <= stay.begin <= rise <= rise + hold <= stay.end <= crowd.seconds for stay in stays)


@pytest.mark.parametrize("wrong", [{"visitors": 0}, {"rise_seconds": -1}, {"hold_seconds": -1}])
def test_a_crowd_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a crowd has visitors"):
        Crowd(**{"visitors": 1, "rise_seconds": 0, "hold_seconds": 1, "fall_seconds": 0, **wrong})
