from doorbuster_operator.decisions.recommendations import (
    MOST_RECOMMENDATIONS,
    highest,
    seconds_until_lower,
    window_left,
    with_recommendation,
)
from doorbuster_operator.model.memory import Change, Recommendation
from tests.unit.doorbuster_operator.decisions.seeing import NOW, memory, seen


def recommended(*ago_and_replicas: tuple[float, int]) -> tuple[Recommendation, ...]:
    return tuple(Recommendation(at=NOW - ago, replicas=replicas) for ago, replicas in ago_and_replicas)


def test_recommendations_are_kept_for_a_window() -> None:
    before = memory(recommendations=recommended((125, 6), (120, 4), (5, 3)))

    assert with_recommendation(seen(memory=before), 2) == recommended((120, 4), (5, 3), (0, 2))


def test_recommendations_of_the_future_are_dropped_after_a_clock_went_back() -> None:
    before = memory(recommendations=recommended((-60, 6)))

    assert with_recommendation(seen(memory=before), 2) == recommended((0, 2))


def test_the_list_is_bounded_whatever_the_window() -> None:
    before = memory(recommendations=recommended(*[(1.0, 3)] * 1_000))

    kept = with_recommendation(seen(memory=before), 2)

    assert len(kept) == MOST_RECOMMENDATIONS
    assert kept[-1].replicas == 2


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
