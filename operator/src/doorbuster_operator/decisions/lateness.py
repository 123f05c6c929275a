"""Records that wait too long although the model is content: the feedback that corrects a wrong capacity."""

from doorbuster_operator.decisions.assessment import Assessment
from doorbuster_operator.model.decision import Observation
from doorbuster_operator.model.decision_record import Reason

# So long the model may be content and records late before it is called wrong (research, 4.2).
PATIENCE_SECONDS = 30.0
# So long a model that was wrong isn't believed when it calls for fewer at the same load.
DISTRUST_SECONDS = 600.0
# A load of at least this share of the one then is the same load.
SAME_LOAD = 0.8
# Of the five minutes that are asked for; with less, the samples themselves have only begun.
WHOLE_HISTORY_SECONDS = 240.0


def is_late(seen: Observation, found: Assessment) -> bool:
    """Say whether the oldest record that moves waits longer than promised, and than a commit explains.

    An age as long as the history may be any age. While the history is short, time will tell.
    """
    longest = found.flow.seconds
    return _is_too_old(seen, found.moving_age) or found.moving_age >= longest >= WHOLE_HISTORY_SECONDS


def all_must_stay(seen: Observation, found: Assessment) -> bool:
    """Say whether a record waits so long that nobody may leave, in any partition: who hangs must not be alone."""
    return _is_too_old(seen, found.flow.age) or 0 < found.flow.seconds <= found.flow.age


def model_is_wrong(seen: Observation, found: Assessment) -> bool:
    """Say whether records have been late for the whole patience, and later at its end than when it began."""
    return _patience_is_over(seen) and found.moving_age >= seen.memory.late_age and _content_but_late(seen, found)


def least_by_experience(seen: Observation, found: Assessment) -> int:
    """Return how many replicas it took lately at this load when the model was wrong; 0 when it wasn't."""
    wrong = (
        record
        for record in seen.memory.records
        if record.reason is Reason.MODEL_WRONG and abs(seen.now - record.at) < DISTRUST_SECONDS
    )
    return max(
        (each.after for each in wrong if each.numbers and found.flow.rate >= SAME_LOAD * each.numbers.rate), default=0
    )


def lateness(seen: Observation, found: Assessment) -> tuple[float | None, float]:
    """Return since when, and from which age on, the patience runs; it begins again when it ends."""
    if not is_late(seen, found):
        return None, 0.0
    if seen.memory.late_since is None or _patience_is_over(seen) or not _content_but_late(seen, found):
        return seen.now, found.moving_age
    return seen.memory.late_since, seen.memory.late_age


def _is_too_old(seen: Observation, age: float) -> bool:
    return age > seen.spec.slo.oldest_record_age + seen.spec.commit_interval


def _content_but_late(seen: Observation, found: Assessment) -> bool:
    content = found.out <= seen.workload.replicas and not found.settling
    return content and is_late(seen, found)


def _patience_is_over(seen: Observation) -> bool:
    return seen.memory.late_since is not None and seen.now - seen.memory.late_since >= PATIENCE_SECONDS
