"""A scaler's conditions from tick to tick, in the shape that Kubernetes gives to all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from doorbuster_operator.model.decision_record import Condition
from doorbuster_operator.reconcilers.status import ConditionStatus, time_text

TRUE: Literal["True"] = "True"
FALSE: Literal["False"] = "False"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a condition holds, and why, in a word and in a sentence."""

    holds: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionChange:
    """A condition that turned."""

    condition: Condition
    verdict: Verdict


def verdicts(true: Mapping[Condition, str], *, reason: str, message: str) -> Mapping[Condition, Verdict]:
    """Return what to say about every condition.

    Args:
        true: those that are true, each with a sentence.
        reason: of the decision, which is why it is ready, or not.
        message: of the decision; said when it isn't ready.
    """
    ready = Condition.READY in true
    about_ready = Verdict(holds=ready, reason=reason, message=true[Condition.READY] if ready else message)
    return {each: about_ready if each is Condition.READY else _verdict(each, true.get(each)) for each in Condition}


def not_ready(reason: str, message: str) -> Mapping[Condition, Verdict]:
    """Return what to say when nothing could be decided: of the other conditions nothing new is known."""
    return {Condition.READY: Verdict(holds=False, reason=reason, message=message)}


def _verdict(condition: Condition, sentence: str | None) -> Verdict:
    # The API asks for a reason, also where there is nothing to say.
    reason = f"Not{condition}" if sentence is None else str(condition)
    return Verdict(holds=sentence is not None, reason=reason, message=sentence or "")


def next_conditions(
    before: Sequence[ConditionStatus], said: Mapping[Condition, Verdict], *, now: float, generation: int
) -> tuple[ConditionStatus, ...]:
    """Return all conditions, in the order of `Condition`; those that nothing is said about stay as they were."""
    known = {each.type: each for each in before}
    return tuple(_all_conditions(known, said, now=now, generation=generation))


def _all_conditions(
    known: Mapping[str, ConditionStatus], said: Mapping[Condition, Verdict], *, now: float, generation: int
) -> Iterator[ConditionStatus]:
    for condition in Condition:
        last, verdict = known.get(condition), said.get(condition)
        if verdict is not None:
            status = TRUE if verdict.holds else FALSE
            yield ConditionStatus(
                type=condition,
                status=status,
                reason=verdict.reason,
                message=verdict.message,
                last_transition_time=last.last_transition_time if last and last.status == status else now,
                observed_generation=generation,
            )
        elif last is not None:
            yield last


def changes(before: Sequence[ConditionStatus], said: Mapping[Condition, Verdict]) -> tuple[ConditionChange, ...]:
    """Return the conditions that turned; of those that weren't known before, the ones that a person wants to know."""
    known = {each.type: each.status == TRUE for each in before}
    return tuple(
        ConditionChange(condition=condition, verdict=verdict)
        for condition, verdict in said.items()
        if verdict.holds != known.get(condition, condition is Condition.READY)
    )


def change_sentence(change: ConditionChange, before: Sequence[ConditionStatus]) -> str:
    """Return what an Event says about a condition that turned."""
    if change.verdict.message:
        return change.verdict.message
    since = next((each.last_transition_time for each in before if each.type == change.condition), None)
    ended = f"{change.condition} is no longer true"
    return f"{ended}; it was since {time_text(since)}." if since is not None else f"{ended}."
