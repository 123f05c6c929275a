import pytest

from loadtests.checks.charges import judge_charges
from loadtests.witness import Call, CallKind, Outcome


def charge(outcome: Outcome, *, key: str = "a", user_id: int = 1) -> Call:
    return Call(
        at=0, kind=CallKind.CHARGE, key=key, user_id=user_id, about=100, outcome=outcome,
        found_id="id" if outcome is Outcome.OK else None, status=None, seconds=0.1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("calls", "balance", "lost", "doubled"),
    [
        # One point before, 30 paid.
        ([charge(Outcome.OK)], 71, (), ()),
        ([charge(Outcome.OK)], 70, (1,), ()),
        ([charge(Outcome.OK)], 171, (), (1,)),
        # Of which nobody knows: both are possible, and nothing else.
        ([charge(Outcome.UNKNOWN), charge(Outcome.OK, key="b")], 71, (), ()),
        ([charge(Outcome.UNKNOWN), charge(Outcome.OK, key="b")], 171, (), ()),
        ([charge(Outcome.UNKNOWN), charge(Outcome.OK, key="b")], 172, (), (1,)),
        # A repeat of an open try that was accepted is one charge.
        ([charge(Outcome.UNKNOWN), charge(Outcome.OK)], 71, (), ()),
        ([charge(Outcome.UNKNOWN), charge(Outcome.OK)], 171, (), (1,)),
        # Refused after an open try: the try may have been done.
        ([charge(Outcome.UNKNOWN), charge(Outcome.FAIL), charge(Outcome.OK, key="b")], 171, (), ()),
        ([charge(Outcome.FAIL), charge(Outcome.OK, key="b")], 171, (), (1,)),
    ],
)
def test_a_balance_says_what_became_of_the_charges(
    calls: list[Call], balance: int, lost: tuple[int, ...], doubled: tuple[int, ...]
) -> None:
    found = judge_charges(calls, {1: balance}, before=1, paid={1: 30})

    assert (found.lost, found.doubled) == (lost, doubled)


def test_charges_are_counted_once_for_each_key() -> None:
    calls = [
        charge(Outcome.OK),
        charge(Outcome.OK),
        charge(Outcome.UNKNOWN, key="b"),
        charge(Outcome.OK, key="c", user_id=2),
    ]

    found = judge_charges(calls, {1: 101, 2: 1}, before=1, paid={})

    assert (found.accepted, found.unknown, found.lost) == (2, 1, (2,))
