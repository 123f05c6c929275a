from collections.abc import Sequence
from dataclasses import replace

from loadtests.checks.issues import (
    IssueJudgement,
    IssueStatus,
    SeenIssue,
    judge_issues,
    told_ids,
    unsettled_users,
)
from loadtests.witness import Call, CallKind, Outcome

COUPON = 7


def ask(user_id: int, outcome: Outcome, issue_id: str | None = None, *, at: float = 0.0) -> Call:
    return Call(
        at=at, kind=CallKind.ISSUE, key=f"{user_id}-{at}", user_id=user_id, about=COUPON, outcome=outcome,
        found_id=issue_id, status=202 if issue_id else None, seconds=0.5,
    )  # fmt: skip


def won(user_id: int, *, at: float = 0.0) -> Call:
    return ask(user_id, Outcome.OK, f"issue-{user_id}", at=at)


def seen(user_id: int) -> SeenIssue:
    return SeenIssue(issue_id=f"issue-{user_id}", coupon_id=COUPON, status=IssueStatus.ISSUED)


def judged(
    calls: Sequence[Call], holders: dict[int, SeenIssue], *, total: int = 2, counted: int | None = None
) -> IssueJudgement:
    known = len(holders) if counted is None else counted
    return judge_issues(calls, holders, coupon=COUPON, total=total, counted=known)


def test_a_coupon_that_is_given_away_as_it_should_be_has_nothing_wrong() -> None:
    calls = [won(1), won(2), ask(3, Outcome.SOLD_OUT), won(1, at=9)]

    found = judged(calls, {1: seen(1), 2: seen(2)})

    assert found == IssueJudgement(
        users=3, holders=2, told=2, surfaced=0, not_issued=0, duplicated=(), lost=(), over_issued=0, counted=2,
        miscounted=0,
    )  # fmt: skip


def test_two_issues_of_one_user_are_duplicated() -> None:
    calls = [won(1), ask(1, Outcome.OK, "another", at=9)]

    assert judged(calls, {1: seen(1)}).duplicated == ("another", "issue-1")


def test_an_issue_that_the_api_shows_beside_the_one_that_was_told_is_duplicated() -> None:
    assert judged([won(1)], {1: replace(seen(1), issue_id="another")}).duplicated == ("another", "issue-1")


def test_one_issue_of_two_users_is_duplicated() -> None:
    calls = [won(1), ask(2, Outcome.OK, "issue-1")]

    assert judged(calls, {1: seen(1), 2: seen(1)}).duplicated == ("issue-1",)


def test_more_holders_than_coupons_are_over_issued() -> None:
    found = judged([won(1), won(2), won(3)], {user: seen(user) for user in (1, 2, 3)})

    assert found.over_issued == 1


def test_the_databases_count_alone_can_show_an_over_issue() -> None:
    found = judged([won(1), won(2)], {1: seen(1), 2: seen(2)}, counted=3)

    assert (found.over_issued, found.miscounted) == (1, 1)


def test_an_issue_that_was_told_and_is_gone_is_lost() -> None:
    assert judged([won(1), won(2)], {1: seen(1)}).lost == ("issue-2",)


def test_an_issue_of_another_coupon_is_none_of_this_one() -> None:
    found = judged([won(1)], {1: replace(seen(1), coupon_id=8)})

    assert (found.holders, found.lost) == (0, ("issue-1",))


def test_who_has_the_coupon_must_not_be_told_later_that_it_is_sold_out() -> None:
    assert judged([won(1), ask(1, Outcome.SOLD_OUT, at=9)], {1: seen(1)}).lost == ("issue-1",)


def test_sold_out_before_a_restock_or_at_the_same_moment_is_no_contradiction() -> None:
    before = [ask(1, Outcome.SOLD_OUT), won(1, at=9)]
    meanwhile = [won(1, at=9), ask(1, Outcome.SOLD_OUT, at=9.1)]

    assert judged(before, {1: seen(1)}).lost == judged(meanwhile, {1: seen(1)}).lost == ()


def test_who_learned_it_later_is_a_holder_that_surfaced() -> None:
    found = judged([ask(1, Outcome.UNKNOWN), won(2)], {1: seen(1), 2: seen(2)})

    assert (found.told, found.holders, found.surfaced) == (1, 2, 1)


def test_issues_that_are_still_accepted_are_counted() -> None:
    assert judged([won(1)], {1: replace(seen(1), status=IssueStatus.ACCEPTED)}).not_issued == 1


def test_only_who_was_neither_given_the_coupon_nor_told_sold_out_asks_again() -> None:
    calls = [
        won(1), ask(1, Outcome.UNKNOWN, at=9), ask(2, Outcome.SOLD_OUT), ask(3, Outcome.UNKNOWN), ask(4, Outcome.FAIL),
        ask(5, Outcome.UNKNOWN), ask(5, Outcome.SOLD_OUT, at=9),
        ask(6, Outcome.SOLD_OUT), ask(6, Outcome.UNKNOWN, at=9),
    ]  # fmt: skip

    assert unsettled_users(calls) == {3, 4, 6}


def test_the_first_id_that_was_read_is_polled() -> None:
    assert told_ids([ask(1, Outcome.UNKNOWN), won(1), ask(1, Outcome.OK, "another"), ask(2, Outcome.SOLD_OUT)]) == {
        1: "issue-1"
    }
