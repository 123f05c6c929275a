"""What to do about an order that takes too long: late is not lost (R15). Pure; the job looks, and applies.

The watch looks at messages and offsets without locks. Before it applies a decision it locks the saga and decides again
with what it saw: if the saga went on meanwhile, its step is young, and the answer is to wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from doorbuster.contracts.bodies import Body
from doorbuster.contracts.topics import Group
from doorbuster.orders.model import CancelReason, Known, Participant, Saga, SagaStep
from doorbuster.orders.saga import MERGES, present_message, silent

_GROUPS: Mapping[Participant, Group] = MappingProxyType(
    {Participant.STOCK: Group.STOCK, Participant.COUPON: Group.COUPON, Participant.PAYMENT: Group.PAYMENT}
)
# Steps of an order that may still be given up; the others are cancels themselves, and are driven until they succeed.
_GIVEN_UP = frozenset({SagaStep.RESERVING, SagaStep.PAYING})
# Keeps the product small; the pause has a limit of its own.
_MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPolicy:
    """How patient the watch is.

    Attributes:
        overdue: a step without answer for so long is looked at. For a cancel each redrive doubles it.
        most_redrives: a lost step is sent again so often, then the order is cancelled.
        deadline: a PENDING order of this age is cancelled, whatever holds it up.
        longest_pause: between two redrives of a cancel, which is never given up.
    """

    overdue: timedelta = timedelta(seconds=10)
    most_redrives: int = 3
    deadline: timedelta = timedelta(minutes=15)
    longest_pause: timedelta = timedelta(minutes=5)


DEFAULT_POLICY = WatchPolicy()


class Place(StrEnum):
    """Where a message stands for the group that reads it."""

    AHEAD = "ahead"
    """Not published, or not committed past: the group will come to it."""
    PASSED = "passed"
    """The group has committed past it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A message in the outbox, and its reader.

    Attributes:
        offset: where the relay published it; None while it isn't published.
        committed: the next offset that the reading group will read in that partition; None when that isn't known.
    """

    offset: int | None
    committed: int | None

    @property
    def place(self) -> Place:
        """Where it stands; an unknown offset is never taken for zero."""
        if self.offset is None:
            return Place.AHEAD
        if self.committed is None:
            return Place.UNKNOWN
        return Place.PASSED if self.committed > self.offset else Place.AHEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What to look for about one silent participant, by the order's id and the messages' types.

    Attributes:
        group: the participant's consumer group, which reads the command.
        command_type: the newest message of this type is the command.
        answer_types: the newest message of one of these types is its answer, read by the order-flow group.
    """

    participant: Participant
    group: Group
    command_type: str
    answer_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What was found for one lookup; None where there is no such message."""

    participant: Participant
    command: Sighting | None
    answer: Sighting | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do now: the step is young, or where its messages stand is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """Overdue, but everything missing is still ahead of its reader: its age is a metric, nothing is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """Lost: send `body` again, by `saga.redriven`."""

    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Give the order up, by `saga.request_cancel`; the caller limits how many a second."""

    reason: CancelReason


Verdict = Wait | Queued | Redrive | Cancel


def lookups(saga: Saga) -> tuple[Lookup, ...]:
    """Return what to look for, one for each silent participant; empty when the saga isn't open."""
    body = present_message(saga)
    if body is None:
        return ()
    return tuple(
        Lookup(
            participant=who,
            group=_GROUPS[who],
            command_type=body.type,
            answer_types=tuple(answer.type for answer in MERGES if _answers(answer, who, saga.step)),
        )
        for who in silent(saga)
    )


def decide_overdue(saga: Saga, trails: Sequence[Trail], now: datetime, policy: WatchPolicy = DEFAULT_POLICY) -> Verdict:
    """Return what to do about an open saga.

    Args:
        saga: as it is in the database.
        trails: what was found for its `lookups`; one that is missing is unknown.
        now: the database's time (R19).
        policy: how patient to be.
    """
    body = present_message(saga)
    if body is None:
        return Wait()
    may_give_up = saga.step in _GIVEN_UP
    if may_give_up and now - saga.order.created_at >= policy.deadline:
        return Cancel(reason=CancelReason.DEADLINE)
    if now - saga.sent_at < _pause(saga, policy):
        return Wait()
    places = _places(saga, trails)
    if Place.PASSED in places:
        if may_give_up and saga.redrives >= policy.most_redrives:
            return Cancel(reason=CancelReason.LOST)
        return Redrive(body=body)
    return Wait() if Place.UNKNOWN in places else Queued()


def _pause(saga: Saga, policy: WatchPolicy) -> timedelta:
    if saga.step in _GIVEN_UP:
        return policy.overdue
    doublings = min(saga.redrives, _MOST_DOUBLINGS)
    return min(policy.longest_pause, policy.overdue * (1 << doublings))


def _places(saga: Saga, trails: Sequence[Trail]) -> frozenset[Place]:
    found = {trail.participant: trail for trail in trails}
    return frozenset(_place(found[who]) if who in found else Place.UNKNOWN for who in silent(saga))


def _place(trail: Trail) -> Place:
    # An answer on its way is as good as one that came. One that was passed taught the flow manager nothing, so what
    # counts is the command, which may have been sent again since.
    if trail.answer is not None and trail.answer.place is not Place.PASSED:
        return trail.answer.place
    # A command that isn't in the outbox (any more) will not come by itself.
    return trail.command.place if trail.command is not None else Place.PASSED


def _answers(answer: type[Body], who: Participant, step: SagaStep) -> bool:
    merge = MERGES[answer]
    undoes = set(merge.learns.values()) == {Known.UNDONE}
    return merge.who is who and step in merge.when and (undoes or step is not SagaStep.COMPENSATING)
