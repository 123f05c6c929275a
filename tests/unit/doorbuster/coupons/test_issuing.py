from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.coupons.coupon import Issue, IssueStatus
from doorbuster.coupons.issuing import IssueCoupon, Issued, IssueRefusal, IssueState, decide
from doorbuster.kernel.ids import CouponId, IssueId, UserId
from tests.unit.doorbuster.coupons.issues import COUPON, NOW, OTHER, UNKNOWN, command, coupon

EMPTY = IssueState(coupons={COUPON: coupon()}, issues={})


def issue(number: int, user: int) -> Issue:
    return Issue(
        id=IssueId(UUID(int=number)),
        coupon_id=COUPON,
        user_id=UserId(user),
        status=IssueStatus.ACCEPTED,
        created_at=NOW,
    )


def test_an_issue_is_counted_and_accepted() -> None:
    decision = decide(EMPTY, [command(7, user=3)], NOW)

    assert decision.outcomes == (Issued(issue=issue(7, user=3), repeated=False),)
    assert decision.issued == {COUPON: 1}
    assert decision.issues == (issue(7, user=3),)


def test_the_outcome_says_whose_gate_must_count_the_holder() -> None:
    state = IssueState(coupons={COUPON: coupon(epoch=7)}, issues={(COUPON, UserId(3)): issue(1, user=3)})

    outcomes = decide(state, [command(2, user=3), command(3, user=4)], NOW).outcomes

    assert [each.epoch for each in outcomes if isinstance(each, Issued)] == [7, 7]


def test_who_comes_first_is_served_first() -> None:
    state = IssueState(coupons={COUPON: coupon(total=5, issued=3)}, issues={})

    decision = decide(state, [command(user, user) for user in (9, 1, 5)], NOW)

    assert [issue.user_id for issue in decision.issues] == [9, 1]
    assert decision.outcomes[2] is IssueRefusal.SOLD_OUT
    assert decision.issued == {COUPON: 5}


def test_a_repeat_is_given_the_same_issue_also_when_the_sale_is_over() -> None:
    held = replace(issue(1, user=3), status=IssueStatus.ISSUED, issued_at=NOW)
    state = IssueState(coupons={COUPON: coupon(total=1, issued=1)}, issues={(COUPON, UserId(3)): held})

    decision = decide(state, [command(2, user=3)], NOW + timedelta(days=1))

    assert decision.outcomes == (Issued(issue=held, repeated=True),)
    assert (decision.issues, decision.issued) == ((), {})


def test_the_second_of_one_user_in_a_batch_is_a_repeat_of_the_first() -> None:
    decision = decide(EMPTY, [command(1, user=3), command(2, user=3)], NOW)

    assert decision.outcomes[1] == Issued(issue=issue(1, user=3), repeated=True)
    assert decision.issued == {COUPON: 1}


def test_an_own_commit_whose_answer_got_lost_is_no_repeat() -> None:
    state = IssueState(coupons={COUPON: coupon(issued=1)}, issues={(COUPON, UserId(3)): issue(1, user=3)})

    assert decide(state, [command(1, user=3)], NOW).outcomes == (Issued(issue=issue(1, user=3), repeated=False),)


@pytest.mark.parametrize(
    ("seconds", "refusal"),
    [(-3601, IssueRefusal.NOT_YET), (-3600, None), (3599, None), (3600, IssueRefusal.ENDED)],
)
def test_a_coupon_is_issued_within_its_validity_only(seconds: int, refusal: IssueRefusal | None) -> None:
    (outcome,) = decide(EMPTY, [command(1, user=3)], NOW + timedelta(seconds=seconds)).outcomes

    assert outcome is refusal or (refusal is None and isinstance(outcome, Issued))


def test_an_unknown_coupon_is_refused_beside_a_known_one() -> None:
    decision = decide(EMPTY, [command(1, 3, UNKNOWN), command(2, 3)], NOW)

    assert decision.outcomes[0] is IssueRefusal.UNKNOWN_COUPON
    assert isinstance(decision.outcomes[1], Issued)


def test_while_messages_do_not_flow_only_repeats_are_answered() -> None:
    state = IssueState(coupons={COUPON: coupon(issued=1)}, issues={(COUPON, UserId(3)): issue(1, user=3)})

    decision = decide(state, [command(2, user=3), command(3, user=4)], NOW, may_write=False)

    assert decision.outcomes == (Issued(issue=issue(1, user=3), repeated=True), IssueRefusal.BROKER_UNAVAILABLE)
    assert (decision.issues, decision.issued) == ((), {})


wanted = st.lists(st.tuples(st.sampled_from([COUPON, OTHER, UNKNOWN]), st.integers(1, 8)), max_size=40)


def commands_of(pairs: list[tuple[CouponId, int]], first: int = 1) -> list[IssueCoupon]:
    return [command(first + place, user, coupon_id) for place, (coupon_id, user) in enumerate(pairs)]


@given(before=wanted, pairs=wanted, totals=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_never_too_many_never_twice_and_the_same_again_to_who_repeats(
    before: list[tuple[CouponId, int]], pairs: list[tuple[CouponId, int]], totals: tuple[int, int]
) -> None:
    state = IssueState(coupons={COUPON: coupon(total=totals[0]), OTHER: coupon(OTHER, total=totals[1])}, issues={})
    for batch, first in ((before, 1), (pairs, 1_000)):
        decision = decide(state, commands_of(batch, first), NOW)
        state = IssueState(
            coupons={
                key: replace(row, issued=decision.issued.get(key, row.issued)) for key, row in state.coupons.items()
            },
            issues={**state.issues, **{(each.coupon_id, each.user_id): each for each in decision.issues}},
        )
        assert not {each.id for each in decision.issues} - {each.issue_id for each in commands_of(batch, first)}

    again = decide(state, commands_of(pairs, 5_000), NOW)
    assert (again.issues, again.issued) == ((), {})
    for key, row in state.coupons.items():
        held = [user for coupon_id, user in state.issues if coupon_id == key]
        assert row.issued == len(held) <= row.total
        assert row.issued == min(row.total, len({user for coupon_id, user in before + pairs if coupon_id == key}))
    for each, outcome in zip(commands_of(pairs, 5_000), again.outcomes, strict=True):
        assert isinstance(outcome, Issued) == (each.holder in state.issues)
