"""What a person is told about a scaler: the status as a whole, the Events, and when each is worth a request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from doorbuster_operator.model.decision_record import Condition, Numbers
from doorbuster_operator.model.memory import ScalerMemory
from doorbuster_operator.ports import Target
from doorbuster_operator.reconcilers.actions import Action, Outcome
from doorbuster_operator.reconcilers.conditions import ConditionChange, change_sentence
from doorbuster_operator.reconcilers.remembering import status_with
from doorbuster_operator.reconcilers.status import ConditionStatus, Status, Trouble

# Lag, age and rates change each tick; nobody needs them newer than this, and the API server has other work (P16).
REFRESH_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An Event about a scaler, for `kubectl describe`."""

    reason: str
    message: str
    warning: bool


def decided_status(
    outcome: Outcome, target: Target, *, conditions: tuple[ConditionStatus, ...], generation: int
) -> Status:
    """Return the status after a decision."""
    record, numbers = outcome.record, outcome.record.numbers
    seen: dict[str, object] = {
        "observed_generation": generation,
        "target_uid": target.uid,
        "replicas": target.workload.replicas,
        "ready_replicas": target.workload.ready,
        "desired_replicas": record.after,
        "reason": str(record.reason),
        "message": record.message,
        "conditions": conditions,
    }
    return status_with(outcome.memory, numbers).model_copy(update=seen | _shown(numbers))


def _shown(numbers: Numbers | None) -> dict[str, object]:
    if numbers is None:
        return {}
    shown = Status(
        needed_replicas=numbers.needed,
        lag=round(numbers.lag),
        oldest_record_age=numbers.age,
        arrival_rate=numbers.rate,
    )
    return {name: getattr(shown, name) for name in shown.model_fields_set}


def troubled_status(
    memory: ScalerMemory,
    trouble: Trouble,
    message: str,
    *,
    target_uid: str | None,
    conditions: tuple[ConditionStatus, ...],
    generation: int,
) -> Status:
    """Return the status when nothing could be decided: what is remembered stays, what was seen isn't known."""
    return status_with(memory, None).model_copy(
        update={
            "observed_generation": generation,
            "target_uid": target_uid,
            "reason": str(trouble),
            "message": message,
            "conditions": conditions,
        }
    )


def worth_writing(new: Status, written: Status, *, seconds_since: float) -> bool:
    """Whether a status is worth a request, so long after the last one."""
    if new == written:
        return False
    return seconds_since >= REFRESH_SECONDS or _facts(new) != _facts(written)


def _facts(status: Status) -> tuple[object, ...]:
    """Return what a person, or a restart, needs at once; everything else only moves a little."""
    return (
        status.observed_generation, status.replicas, status.ready_replicas, status.desired_replicas,
        status.expected_replicas, status.target_uid, status.reason, status.capacity is None, status.last_change,
        status.foreign_change,
        status.message if status.reason in list(Trouble) else "",
        [(each.type, each.status, each.reason) for each in status.conditions],
        [(each.at, each.reason) for each in status.decisions],
    )  # fmt: skip


def events_of(
    outcome: Outcome | None, turned: Sequence[ConditionChange], before: Sequence[ConditionStatus]
) -> list[Event]:
    """Return the Events of a tick.

    Args:
        outcome: what was decided; None when nothing could be.
        turned: the conditions that turned.
        before: the conditions until now.
    """
    return [*_events_of_outcome(outcome), *(_event_of_change(each, before) for each in turned)]


def _events_of_outcome(outcome: Outcome | None) -> Iterator[Event]:
    if outcome is None or not outcome.fresh:
        return
    record = outcome.record
    if outcome.action is Action.SCALED:
        message = f"Scaled from {record.before} to {record.after}: {record.message}"
        yield Event(reason=record.reason, message=message, warning=False)
    elif outcome.action is Action.DRY_RUN:
        yield Event(reason=record.reason, message=record.message, warning=False)
    elif outcome.action is Action.FAILED:
        yield Event(reason="ScaleFailed", message=record.message, warning=True)


def _event_of_change(change: ConditionChange, before: Sequence[ConditionStatus]) -> Event:
    holds, condition = change.verdict.holds, change.condition
    return Event(
        reason=condition if holds else f"Not{condition}",
        message=change_sentence(change, before),
        warning=holds is not (condition is Condition.READY),
    )
