from hypothesis import given
from hypothesis import strategies as st

from doorbuster_operator.decisions.recommendations import (
    falls_soon,
    highest,
    seconds_until_lower,
    window_left,
    with_recommendation,
)
from doorbuster_operator.model.memory import Change, Recommendation
from tests.unit.doorbuster_operator.decisions.seeing import NOW, memory, seen, spec


def recommended(*ago_and_replicas: tuple[float, int]) -> tuple[Recommendation, ...]:
    return tuple(Recommendation(at=NOW - ago, replicas=replicas) for ago, replicas in ago_and_replicas)


def test_recommendations_are_kept_for_a_window() -> None:
    before = memory(recommendations=recommended((125, 6), (120, 4), (5, 3)))

    assert with_recommendation(seen(memory=before), 2) == recommended((120, 4), (5, 3), (0, 2))


def test_recommendations_of_the_future_are_dropped_after_a_clock_went_back() -> None:
    before = memory(recommendations=recommended((-60, 6)))

    assert with_recommendation(seen(memory=before), 2) == recommended((0, 2))


def test_a_recommendation_makes_earlier_ones_that_are_not_higher_needless() -> None:
    before = memory(recommendations=recommended((100, 6), (90, 4), (80, 3)))

    assert with_recommendation(seen(memory=before), 4) == recommended((100, 6), (0, 4))


def test_the_highest_of_a_long_window_is_kept_however_many_looks_there_were() -> None:
    hour = spec(scale_down={"window": 3_600.0})
    before = memory(recommendations=recommended((3_500, 6)))
    for tick in range(3_400):
        now = NOW - 3_400 + tick
        before = memory(recommendations=with_recommendation(seen(spec=hour, now=now, memory=before), 1 + tick % 3))

    assert [each.replicas for each in before.recommendations] == [6, 3, 1]


WINDOW = 120.0


@given(st.lists(st.integers(min_value=0, max_value=6), min_size=1, max_size=60))
def test_what_is_dropped_decides_nothing(replicas: list[int]) -> None:
    every = recommended(*((5.0 * back, each) for back, each in enumerate(reversed(replicas))))[::-1]
    kept: tuple[Recommendation, ...] = ()
    for each in every:
        kept = with_recommendation(seen(now=each.at, memory=memory(recommendations=kept)), each.replicas)
    window = tuple(each for each in every if each.at >= NOW - WINDOW)

    assert highest(kept) == highest(window)
    assert falls_soon(seen(memory=memory(recommendations=kept))) == falls_soon(
        seen(memory=memory(recommendations=window))
    )
    for number in range(8):
        assert seconds_until_lower(seen(), kept, number) == seconds_until_lower(seen(), window, number)
    assert kept[-1] == every[-1]


def test_the_highest_of_a_window_counts() -> None:
    assert highest(recommended((100, 2), (50, 4), (0, 1))) == 4
    assert highest(()) == 0


def test_a_window_is_full_when_it_was_watched_without_a_change() -> None:
    change = Change(at=NOW - 100, before=4, after=6, rate=1)

    assert window_left(seen(memory=memory())) == 0
    assert window_left(seen(memory=memory(last_change=change))) == 20
    assert window_left(seen(memory=memory(watching_since=NOW - 30))) == 90


def test_the_time_until_fewer_is_that_of_the_last_high_recommendation() -> None:
    recommendations = recommended((90, 4), (30, 3))

    assert seconds_until_lower(seen(memory=memory()), recommendations, 4) == 30
    assert seconds_until_lower(seen(memory=memory()), recommendations, 3) == 90
    assert seconds_until_lower(seen(memory=memory()), recommendations, 5) == 0
