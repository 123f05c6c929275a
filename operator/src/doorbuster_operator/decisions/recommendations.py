"""How many replicas were enough lately: scaling in goes down to the highest of a whole window."""

from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.memory import Recommendation

# When a load ends, its rate falls over twenty seconds, and the recommendations with it. Going down at the first of them
# would cost a whole window more before the last.
SOON_SECONDS = 30.0


def with_recommendation(seen: Observation, replicas: int) -> tuple[Recommendation, ...]:
    """Return the recommendations of the scale-in window with one of now.

    Those that aren't higher than a later one can't be the highest of a window any more. Without them there are never
    more than there are numbers of replicas, however long the window is.
    """
    begin = seen.now - seen.spec.scale_down.window
    kept = [each for each in seen.memory.recommendations if begin <= each.at <= seen.now and each.replicas > replicas]
    return (*kept, Recommendation(at=seen.now, replicas=replicas))


def highest(recommendations: tuple[Recommendation, ...]) -> int:
    """Return the highest recommendation; 0 when there is none."""
    return max((each.replicas for each in recommendations), default=0)


def falls_soon(seen: Observation) -> bool:
    """Say whether the highest recommendation will have left the window so soon that one change is better than two."""
    kept = seen.memory.recommendations
    later = tuple(each for each in kept if each.at >= seen.now - seen.spec.scale_down.window + SOON_SECONDS)
    return bool(later) and highest(later) < highest(kept)


def window_left(seen: Observation) -> float:
    """Return in how many seconds a whole window was watched without a change; 0 when it was.

    A process that has just begun to watch knows no window, so a restart never scales in soon.
    """
    change = seen.memory.last_change
    begin = seen.memory.watching_since if change is None else max(seen.memory.watching_since, change.at)
    return max(0.0, begin + seen.spec.scale_down.window - seen.now)


def seconds_until_lower(seen: Observation, recommendations: tuple[Recommendation, ...], replicas: int) -> float:
    """Return in how many seconds no recommendation of the window asks for so many replicas any more."""
    last = max((each.at for each in recommendations if each.replicas >= replicas), default=None)
    window = seen.spec.scale_down.window
    return max(window_left(seen), 0.0 if last is None else last + window - seen.now)
