"""What became of charges: judged from what each user was told, their balance in the end, and what they paid.

*Lost*: a user has fewer points than what was accepted and what was paid leave. *Doubled*: more points than even the
charges of which nobody knows could explain.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loadtests.witness import Call, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeJudgement:
    """What became of the charges.

    Attributes:
        accepted: those of which a user read an id.
        unknown: those of which nobody knows.
        lost: users whose balance is too small, sorted.
        doubled: users whose balance is too great, sorted.
    """

    accepted: int
    unknown: int
    lost: tuple[int, ...]
    doubled: tuple[int, ...]


def judge_charges(
    calls: Iterable[Call], balances: Mapping[int, int], *, before: int, paid: Mapping[int, int]
) -> ChargeJudgement:
    """Return what became of the charges.

    Args:
        calls: all tries; those with one key in the order in which they ended.
        balances: everybody's points in the end, when nothing is under way any more.
        before: everybody's points before the first charge.
        paid: how many points each user's PAID orders cost, whether the user was told of them or not.
    """
    accepted: dict[int, list[int]] = defaultdict(list)
    unknown: dict[int, list[int]] = defaultdict(list)
    for user, points, outcome in _intents(calls):
        if outcome is Outcome.OK:
            accepted[user].append(points)
        elif outcome is Outcome.UNKNOWN:
            unknown[user].append(points)
    lost, doubled = [], []
    for user, balance in balances.items():
        least = before + sum(accepted[user]) - paid.get(user, 0)
        if balance < least:
            lost.append(user)
        elif balance > least + sum(unknown[user]):
            doubled.append(user)
    return ChargeJudgement(
        accepted=sum(map(len, accepted.values())),
        unknown=sum(map(len, unknown.values())),
        lost=tuple(sorted(lost)),
        doubled=tuple(sorted(doubled)),
    )


def _intents(calls: Iterable[Call]) -> Iterable[tuple[int, int, Outcome]]:
    """Return user, points and what is known of each key: a later refusal says nothing about an open try before it."""
    rank = {Outcome.FAIL: 0, Outcome.SOLD_OUT: 0, Outcome.UNKNOWN: 1, Outcome.OK: 2}
    known: dict[str, tuple[int, int, Outcome]] = {}
    for call in calls:
        before = known.get(call.key)
        if before is None or rank[call.outcome] >= rank[before[2]]:
            known[call.key] = call.user_id, call.about, call.outcome
    return known.values()
