"""What became of a decision, and what that means for the memory and for what a person reads."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from doorbuster_operator.model.decision import Decision
from doorbuster_operator.model.decision_record import DecisionRecord
from doorbuster_operator.model.memory import ScalerMemory


class Action(StrEnum):
    """What was done."""

    NOTHING = "nothing"
    """Nothing was to be done."""
    SCALED = "scaled"
    """The target was told."""
    DRY_RUN = "dry_run"
    """It would have been told."""
    FAILED = "failed"
    """It was told and didn't answer, or refused."""
    OVERTAKEN = "overtaken"
    """What it was decided on isn't true any more; the next look decides anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A decision after it was acted on.

    Attributes:
        record: the decision's, its message says what became of it.
        memory: for the next tick.
        fresh: whether this is another decision than the one that the memory ends with.
    """

    action: Action
    record: DecisionRecord
    memory: ScalerMemory
    fresh: bool


def outcome_of(decision: Decision, action: Action, *, before: ScalerMemory, problem: str = "") -> Outcome:
    """Return the outcome of a decision.

    Args:
        decision: the decision.
        action: what was done about it.
        before: the memory that the decision was made with.
        problem: why it failed, in a sentence.
    """
    record = replace(decision.record, message=_message(decision.record, action, problem))
    if action is Action.SCALED or action is Action.NOTHING:
        return Outcome(action=action, record=record, memory=decision.memory, fresh=action is Action.SCALED)
    fresh = action is not Action.OVERTAKEN and not _repeats(before, record)
    records = _with_message(decision.memory.records, decision.record, record) if fresh else before.records
    memory = replace(
        decision.memory,
        expected_replicas=before.expected_replicas,
        last_change=before.last_change,
        records=tuple(records),
    )
    return Outcome(action=action, record=record, memory=memory, fresh=fresh)


def _message(record: DecisionRecord, action: Action, problem: str) -> str:
    if action is Action.DRY_RUN:
        return f"Dry run, would scale from {record.before} to {record.after}: {record.message}"
    if action is Action.FAILED:
        return f"{record.message} Scaling from {record.before} to {record.after} failed: {problem}"
    if action is Action.OVERTAKEN:
        return f"{record.message} Not scaled from {record.before} to {record.after}: {problem}"
    return record.message


def _repeats(before: ScalerMemory, record: DecisionRecord) -> bool:
    """Whether the record is the wish that the memory ends with, and that wasn't fulfilled.

    Such a wish comes again each tick; ten of them would push all other decisions out.
    """
    if not before.records:
        return False
    last = before.records[-1]
    fulfilled = before.last_change is not None and math.floor(before.last_change.at) == math.floor(last.at)
    return not fulfilled and (last.before, last.after, last.reason) == (record.before, record.after, record.reason)


def settled(memory: ScalerMemory, unsure: ScalerMemory | None, *, replicas: int) -> ScalerMemory:
    """Return the memory after an order without an answer: it was carried out if the target asks for its number.

    Args:
        memory: what it is if the order wasn't carried out.
        unsure: what it is if it was; None when no answer is missing.
        replicas: what the target asks for now.
    """
    if unsure is None or unsure.expected_replicas != replicas or memory.expected_replicas == replicas:
        return memory
    return replace(memory, expected_replicas=replicas, last_change=unsure.last_change)


def _with_message(
    records: Sequence[DecisionRecord], decided: DecisionRecord, told: DecisionRecord
) -> Sequence[DecisionRecord]:
    return [told if each == decided else each for each in records]
