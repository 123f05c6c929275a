from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbuster.kernel.ids import UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.points.model import (
    GREATEST_BALANCE,
    MOST_CHARGE,
    Charged,
    ChargeDecision,
    ChargePoints,
    Entry,
    EntryKind,
    SystemAccount,
    charge,
    user_account,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USER, OTHER, UNKNOWN = UserId(1), UserId(2), UserId(3)


def command(n: int, user_id: UserId, amount: int) -> ChargePoints:
    return ChargePoints(transaction_id=UUID(int=n), user_id=user_id, amount=amount)


def test_charge_is_a_double_entry() -> None:
    decision = charge({USER: 5, OTHER: 7}, [command(1, USER, 100)], NOW)

    entry = Entry(transaction_id=UUID(int=1), kind=EntryKind.CHARGE, account="user:1", amount=100, created_at=NOW)
    other = Entry(
        transaction_id=UUID(int=1), kind=EntryKind.CHARGE, account="system:charges", amount=-100, created_at=NOW
    )
    assert decision == ChargeDecision(
        outcomes=(Charged(transaction_id=UUID(int=1), user_id=USER, amount=100, balance=105),),
        balances={USER: 105},
        entries=(entry, other),
    )


def test_charges_of_one_user_in_a_batch_add_up() -> None:
    decision = charge({USER: 0}, [command(1, USER, 10), command(2, USER, 20)], NOW)

    assert [outcome.balance for outcome in decision.outcomes if isinstance(outcome, Charged)] == [10, 30]
    assert decision.balances == {USER: 30}


@pytest.mark.parametrize("amount", [-1, 0, MOST_CHARGE + 1])
def test_amount_out_of_bounds_is_refused(amount: int) -> None:
    decision = charge({USER: 0}, [command(1, USER, amount)], NOW)

    refusal = Refusal(code="bad-amount", field="amount", detail="A charge is 1 to 10000000 points.")
    assert decision == ChargeDecision(outcomes=(refusal,), balances={}, entries=())


@pytest.mark.parametrize("amount", [1, MOST_CHARGE])
def test_amount_at_a_bound_is_charged(amount: int) -> None:
    assert charge({USER: 0}, [command(1, USER, amount)], NOW).balances == {USER: amount}


def test_unknown_user_is_refused() -> None:
    decision = charge({USER: 0}, [command(1, UNKNOWN, 10)], NOW)

    assert decision.outcomes == (Refusal(code="unknown-user", detail="User 3 has no account."),)


def test_balance_that_readers_would_round_is_refused() -> None:
    decision = charge({USER: GREATEST_BALANCE - 1}, [command(1, USER, 1), command(2, USER, 1)], NOW)

    assert decision.balances == {USER: GREATEST_BALANCE}
    assert decision.outcomes[1] == Refusal(
        code="balance-too-large", field="amount", detail="A balance is 9007199254740992 at most."
    )


@given(st.lists(st.tuples(st.sampled_from((USER, OTHER, UNKNOWN)), st.integers(-2, 5)), max_size=10))
def test_entries_sum_to_zero_and_explain_every_balance(charges: list[tuple[UserId, int]]) -> None:
    before = {USER: 3, OTHER: 0}

    decision = charge(before, [command(n, user, amount) for n, (user, amount) in enumerate(charges)], NOW)

    accounts = {user: sum(e.amount for e in decision.entries if e.account == user_account(user)) for user in before}
    system = sum(entry.amount for entry in decision.entries if entry.account == SystemAccount.CHARGES)
    assert sum(accounts.values()) + system == 0
    assert {user: before[user] + accounts[user] for user in before} == {**before, **decision.balances}
    assert len(decision.outcomes) == len(charges)
