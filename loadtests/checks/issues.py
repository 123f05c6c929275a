"""What became of a coupon that a crowd wanted: judged from what each user was told, and from what the API says later.

*Duplicated*: somebody has two, or two have the same. *Over-issued*: more than there are. *Lost*: a user was told that
the coupon is theirs, and the API doesn't know it, or says to the same user that it is sold out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from loadtests.witness import Call, Outcome


class IssueStatus(StrEnum):
    """What a user sees of an issue."""

    ACCEPTED = "ACCEPTED"
    ISSUED = "ISSUED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenIssue:
    """An issue as the API shows it to its user.

    Attributes:
        issue_id: its id.
        coupon_id: of which coupon.
        status: what became of it so far.
    """

    issue_id: str
    coupon_id: int
    status: IssueStatus


IssuesByUser = Mapping[int, SeenIssue]
"""What the API says in the end to each user who has an issue, asked by its id, or by wanting it once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueJudgement:
    """What became of the coupon.

    Attributes:
        users: who asked at all.
        holders: users who have an issue, whether they were told of it in the rush or found it later.
        told: users who read an id in the rush.
        surfaced: holders who learned it only later.
        not_issued: holders whose issue is still ACCEPTED.
        duplicated: issue ids of users with two, and those of two users; sorted.
        lost: issue ids that a user was told of and that are gone, sorted; also of those who were told sold out later.
        over_issued: holders beyond what there are.
        counted: how many the database says that are given away.
        miscounted: how far holders and the database's count are apart.
    """

    users: int
    holders: int
    told: int
    surfaced: int
    not_issued: int
    duplicated: tuple[str, ...]
    lost: tuple[str, ...]
    over_issued: int
    counted: int
    miscounted: int


def judge_issues(calls: Iterable[Call], seen: IssuesByUser, *, coupon: int, total: int, counted: int) -> IssueJudgement:
    """Return what became of the coupon.

    Args:
        calls: all tries of the rush; those of one user in the order in which they ended.
        seen: what the API says in the end. Whoever was never told for sure that there is nothing must have asked again.
        coupon: its id.
        total: how many there are.
        counted: how many are given away, as the database counts.
    """
    by_user: dict[int, list[Call]] = defaultdict(list)
    for call in calls:
        by_user[call.user_id].append(call)
    told = {user: ids for user, tried in by_user.items() if (ids := _ids(tried))}
    holders = {user for user, issue in seen.items() if issue.coupon_id == coupon}
    return IssueJudgement(
        users=len(by_user),
        holders=len(holders),
        told=len(told),
        surfaced=len(holders - told.keys()),
        not_issued=sum(seen[user].status is not IssueStatus.ISSUED for user in holders),
        duplicated=tuple(sorted(_duplicated(told, seen))),
        lost=tuple(sorted(_lost(told, seen, coupon=coupon) | _denied(by_user))),
        over_issued=max(0, len(holders) - total, counted - total),
        counted=counted,
        miscounted=abs(len(holders) - counted),
    )


def unsettled_users(calls: Iterable[Call]) -> set[int]:
    """Return who doesn't know whether the coupon is theirs: no id was read, and the last word wasn't "sold out"."""
    ends: dict[int, Outcome] = {}
    for call in calls:
        if ends.get(call.user_id) is not Outcome.OK:
            ends[call.user_id] = call.outcome
    return {user for user, outcome in ends.items() if outcome in {Outcome.UNKNOWN, Outcome.FAIL}}


def told_ids(calls: Iterable[Call]) -> dict[int, str]:
    """Return the issue that each user read an id of; of several the first."""
    found: dict[int, str] = {}
    for call in calls:
        if call.found_id is not None:
            found.setdefault(call.user_id, call.found_id)
    return found


def _ids(calls: Iterable[Call]) -> frozenset[str]:
    return frozenset(call.found_id for call in calls if call.found_id is not None)


def _duplicated(told: Mapping[int, frozenset[str]], seen: IssuesByUser) -> set[str]:
    known = {user: ids | ({seen[user].issue_id} if user in seen else set()) for user, ids in told.items()}
    known |= {user: frozenset({issue.issue_id}) for user, issue in seen.items() if user not in told}
    holders = Counter(issue_id for ids in known.values() for issue_id in ids)
    shared = {issue_id for issue_id, count in holders.items() if count > 1}
    return shared | {issue_id for ids in known.values() if len(ids) > 1 for issue_id in ids}


def _lost(told: Mapping[int, frozenset[str]], seen: IssuesByUser, *, coupon: int) -> set[str]:
    return {
        issue_id for user, ids in told.items() if user not in seen or seen[user].coupon_id != coupon for issue_id in ids
    }


def _denied(by_user: Mapping[int, Iterable[Call]]) -> set[str]:
    """Return the issues of users who were told sold out in a request that began after they had read the id."""
    denied: set[str] = set()
    for calls in by_user.values():
        known_since = min((call.at + call.seconds for call in calls if call.found_id is not None), default=None)
        if known_since is None:
            continue
        if any(call.outcome is Outcome.SOLD_OUT and call.at >= known_since for call in calls):
            denied |= _ids(calls)
    return denied
