"""The start decision of Redis (charts/data/files/redis/decide.sh), evaluated for many sets of facts by one bash."""

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DECIDE = Path(__file__).parents[3] / "charts" / "data" / "files" / "redis" / "decide.sh"
EVALUATE_EACH_LINE = 'source "$1"; while read -r -a words; do decide "${words[@]}"; done'
ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
PATIENT, IMPATIENT = "patient", "impatient"
NOBODY = "-"
NEW = "undecided,0,0"
OLD = "undecided,1000,900"
FRESH = "undecided,2000,50"
UNREACHABLE = "unreachable"
PRIMARY = "primary"


def claiming(state: str) -> str:
    return state.replace("undecided", "claiming")


def replica_of(ordinal: int) -> str:
    return f"replica,{ADDRESSES[ordinal]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one member knows when it decides."""

    own: int
    members: tuple[str, ...]
    named: str = NOBODY
    patience: str = PATIENT

    def line(self) -> str:
        members = (f"{address},{state}" for address, state in zip(ADDRESSES, self.members, strict=False))
        return " ".join((str(self.own), self.patience, self.named, *members))


def verdicts(questions: Iterable[Facts]) -> list[str]:
    lines = "".join(f"{facts.line()}\n" for facts in questions)
    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", EVALUATE_EACH_LINE, "bash", str(DECIDE)],
        input=lines, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert answer.stderr == ""
    return answer.stdout.splitlines()


def verdict(*members: str, own: int = 0, named: str = NOBODY, patience: str = PATIENT) -> str:
    (found,) = verdicts([Facts(own=own, members=members, named=named, patience=patience)])
    return found


CASES = {
    "a first start begins with ordinal 0": (
        Facts(own=0, members=(NEW, NEW, NEW)),
        "primary 10.0.0.1",
    ),
    "the others of a first start wait for ordinal 0": (
        Facts(own=2, members=(NEW, NEW, NEW)),
        "wait ordinal 0 has the freshest volume and should start",
    ),
    "a single member starts": (
        Facts(own=0, members=(NEW,)),
        "primary 10.0.0.1",
    ),
    "the member that was in service last starts, whatever its offset": (
        Facts(own=1, members=(OLD, FRESH, NEW)),
        "primary 10.0.0.2",
    ),
    "of members in service at the same moment the highest offset starts": (
        Facts(own=2, members=("undecided,1003,70", "undecided,1000,80", "undecided,1001,90")),
        "primary 10.0.0.3",
    ),
    "equal members start with the lowest ordinal": (
        Facts(own=1, members=(UNREACHABLE, OLD, OLD), patience=IMPATIENT),
        "primary 10.0.0.2",
    ),
    "a member out of reach is waited for": (
        Facts(own=0, members=(FRESH, UNREACHABLE, UNREACHABLE)),
        "wait ordinal 1 2 isn't in reach",
    ),
    "after the patience those in reach decide": (
        Facts(own=2, members=(UNREACHABLE, OLD, FRESH), patience=IMPATIENT),
        "primary 10.0.0.3",
    ),
    "the Sentinels' vote outranks a fresher volume": (
        Facts(own=1, members=(OLD, FRESH, OLD), named="10.0.0.1"),
        "replica of 10.0.0.1",
    ),
    "the member that the Sentinels name starts with its data": (
        Facts(own=0, members=(OLD, FRESH, UNREACHABLE), named="10.0.0.1"),
        "primary 10.0.0.1",
    ),
    "a lost volume isn't served by name": (
        Facts(own=0, members=(NEW, replica_of(0), replica_of(0)), named="10.0.0.1"),
        "wait the Sentinels name this instance, whose volume is new, and should fail over",
    ),
    "a running primary is followed": (
        Facts(own=2, members=(UNREACHABLE, PRIMARY, FRESH)),
        "replica of 10.0.0.2",
    ),
    "a claim is given way to": (
        Facts(own=1, members=(claiming(OLD), FRESH, FRESH)),
        "wait ordinal 0 is about to start as the primary",
    ),
    "the primary of a running replica is followed, even a dead one": (
        Facts(own=0, members=(FRESH, UNREACHABLE, replica_of(1))),
        "replica of 10.0.0.2",
    ),
    "a member that a replica follows starts with its data": (
        Facts(own=0, members=(OLD, replica_of(0), UNREACHABLE)),
        "primary 10.0.0.1",
    ),
    "a member that a replica follows doesn't empty it": (
        Facts(own=0, members=(NEW, replica_of(0), UNREACHABLE)),
        "wait a replica follows this instance, whose volume is new",
    ),
    "Redis comes back empty rather than never": (
        Facts(own=0, members=(NEW, replica_of(0), UNREACHABLE), patience=IMPATIENT),
        "primary 10.0.0.1",
    ),
}


@pytest.mark.parametrize(("facts", "expected"), CASES.values(), ids=CASES.keys())
def test_decides(facts: Facts, expected: str) -> None:
    assert verdicts([facts]) == [expected]


@cache
def every_shared_view() -> tuple[list[Facts], list[str]]:
    """Every combination of three members, as each undecided one of them judges it, with its verdict."""
    states = (NEW, OLD, FRESH, claiming(FRESH), UNREACHABLE, PRIMARY, *map(replica_of, range(3)))
    questions = [
        Facts(own=own, members=members, named=named, patience=patience)
        for members in product(states, repeat=3)
        for named in (NOBODY, *ADDRESSES)
        for patience in (PATIENT, IMPATIENT)
        for own, state in enumerate(members)
        if state in {NEW, OLD, FRESH}
    ]
    return questions, verdicts(questions)


def judged_alike() -> dict[tuple[tuple[str, ...], str, str], list[str]]:
    """The verdicts of all members that know the same."""
    found: dict[tuple[tuple[str, ...], str, str], list[str]] = {}
    for facts, answer in zip(*every_shared_view(), strict=True):
        found.setdefault((facts.members, facts.named, facts.patience), []).append(answer)
    return found


def test_each_set_of_facts_has_one_of_three_verdicts() -> None:
    questions, answers = every_shared_view()

    assert len(answers) == len(questions)
    assert {answer.split()[0] for answer in answers} == {"primary", "replica", "wait"}


def test_members_that_know_the_same_never_start_two_primaries() -> None:
    two = {known: answers for known, answers in judged_alike().items() if starts(answers) > 1}

    assert two == {}


def test_nobody_starts_beside_a_running_primary_or_a_claim_unless_the_sentinels_name_it() -> None:
    beside = {
        known: answers
        for known, answers in judged_alike().items()
        if starts(answers) and (PRIMARY in known[0] or claiming(FRESH) in known[0]) and known[1] == NOBODY
    }

    assert beside == {}


def test_a_patient_member_never_starts_by_comparison_while_one_is_out_of_reach() -> None:
    early = [
        facts
        for facts, answer in zip(*every_shared_view(), strict=True)
        if answer.startswith("primary")
        and facts.patience == PATIENT
        and facts.named == NOBODY
        and UNREACHABLE in facts.members
        and not any(state.startswith("replica") for state in facts.members)
    ]

    assert early == []


def test_whoever_starts_or_is_followed_is_a_member() -> None:
    _, answers = every_shared_view()

    assert {answer.split()[-1] for answer in answers if not answer.startswith("wait")} == set(ADDRESSES)


def test_a_new_volume_never_starts_beside_one_with_data_while_patience_lasts() -> None:
    emptied = [
        facts
        for facts, answer in zip(*every_shared_view(), strict=True)
        if answer.startswith("primary")
        and facts.patience == PATIENT
        and facts.members[facts.own] == NEW
        and (OLD in facts.members or FRESH in facts.members)
    ]

    assert emptied == []


def starts(answers: Sequence[str]) -> int:
    return sum(answer.startswith("primary") for answer in answers)


notes = st.tuples(st.integers(0, 4_000_000_000), st.integers(0, 2**62))
volumes = st.lists(st.lists(notes, min_size=3, max_size=3), min_size=1, max_size=50)


@settings(max_examples=40, deadline=None)
@given(volumes)
def test_exactly_one_of_any_three_volumes_starts(groups: list[list[tuple[int, int]]]) -> None:
    questions = [
        Facts(own=own, members=tuple(f"undecided,{seen},{offset}" for seen, offset in group))
        for group in groups
        for own in range(3)
    ]

    answers = verdicts(questions)

    for number, group in enumerate(groups):
        answers_of_group = answers[3 * number : 3 * number + 3]
        assert starts(answers_of_group) == 1
        chosen = next(own for own, answer in enumerate(answers_of_group) if answer.startswith("primary"))
        newest = max(seen for seen, _ in group)
        same_moment = [offset for seen, offset in group if seen >= newest - 5]
        assert group[chosen][1] == max(same_moment)
