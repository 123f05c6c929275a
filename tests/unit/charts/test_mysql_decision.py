"""The start decision of MySQL (charts/data/files/mysql/decide.sh), evaluated for all sets of facts by one bash."""

import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import combinations, product
from pathlib import Path

import pytest

DECIDE = Path(__file__).parents[3] / "charts" / "data" / "files" / "mysql" / "decide.sh"
EVALUATE_EACH_LINE = 'source "$1"; while read -r -a words; do decide "${words[@]}"; done'
ORDINALS = (0, 1, 2)
UNREACHABLE = "unreachable"
BUSY = "busy"

Facts = tuple[str, ...]


def outside(has: str, replaced: str = "-") -> str:
    return f"outside,{has},{replaced}"


def online(has: str) -> str:
    return f"online,{has}"


NEW = outside("012")


def verdicts(questions: Iterable[tuple[int, Facts]]) -> list[str]:
    lines = "".join(f"{own} {' '.join(facts)}\n" for own, facts in questions)
    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", EVALUATE_EACH_LINE, "bash", str(DECIDE)],
        input=lines, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert answer.stderr == ""
    return answer.stdout.splitlines()


def verdict(own: int, *members: str) -> str:
    (found,) = verdicts([(own, members)])
    return found


CASES = {
    "a first start begins with ordinal 0": (
        (0, NEW, NEW, NEW),
        "bootstrap",
    ),
    "the others of a first start wait for ordinal 0": (
        (2, NEW, NEW, NEW),
        "wait ordinal 0 has all transactions and should start the group",
    ),
    "a first start waits for the last volume": (
        (0, outside("01"), outside("01"), UNREACHABLE),
        "refuse ordinal 2 doesn't answer, and its volume may be the newest",
    ),
    "a first start that was interrupted goes on with the volume that has something": (
        (1, outside("02"), outside("012"), outside("02")),
        "bootstrap",
    ),
    "after a total stop the member that has everything starts the group": (
        (2, outside("0"), outside("01"), outside("012")),
        "bootstrap",
    ),
    "of two that have everything the lower ordinal starts it": (
        (2, outside("0"), outside("012"), outside("012")),
        "wait ordinal 1 has all transactions and should start the group",
    ),
    "two missing members are both named": (
        (1, UNREACHABLE, outside("1"), UNREACHABLE),
        "refuse ordinal 0+2 doesn't answer, and its volume may be the newest",
    ),
    "diverged volumes are left alone": (
        (0, outside("02"), outside("12"), outside("2")),
        "refuse the members' transactions diverge, none has those of all others",
    ),
    "a volume that was lost while all were stopped is missed": (
        (1, outside("0"), outside("012", "0"), outside("012", "0")),
        "refuse the volume of ordinal 0 isn't the one that was in the group, which may have been the newest",
    ),
    "an older table of volumes doesn't count": (
        (0, outside("012"), outside("1", "2"), outside("012")),
        "bootstrap",
    ),
    "a running group is joined": (
        (0, outside("0"), online("012"), UNREACHABLE),
        "join",
    ),
    "a new volume joins a running group": (
        (2, online("012"), online("012"), outside("2")),
        "join",
    ),
    "one member of the group that has everything is enough": (
        (2, online("01"), online("012"), outside("2")),
        "join",
    ),
    "foreign transactions stay away from a running group": (
        (0, outside("012"), online("12"), online("12")),
        "quarantine this member has transactions that the group doesn't have",
    ),
    "a member that may come back with its group is waited for": (
        (0, outside("012"), BUSY, UNREACHABLE),
        "wait ordinal 1 can't be compared yet",
    ),
    "a member that is busy itself waits": (
        (1, online("01"), BUSY, online("01")),
        "wait this member is in a group",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_decision_for_known_situations(name: str) -> None:
    facts, expected = CASES[name]

    assert verdict(*facts) == expected


def test_a_group_of_one_starts_itself() -> None:
    assert verdict(0, outside("0")) == "bootstrap"


def test_a_group_of_one_does_not_start_before_it_has_applied_what_it_received() -> None:
    assert verdict(0, BUSY) == "wait ordinal 0 can't be compared yet"


def words_of(ordinal: int) -> list[str]:
    """Every word that one member of three can have."""
    others = [other for other in ORDINALS if other != ordinal]
    subsets = [subset for size in range(3) for subset in combinations(others, size)]
    contained = ["".join(str(number) for number in sorted((ordinal, *subset))) for subset in subsets]
    replaced = ["-", "0", "1", "2"]
    return [
        UNREACHABLE,
        BUSY,
        *(online(has) for has in contained),
        *(outside(has, lost) for has, lost in product(contained, replaced)),
    ]


@cache
def all_decisions() -> Mapping[Facts, tuple[str, ...]]:
    """What each of three members decides, for every set of facts."""
    worlds = list(product(*(words_of(ordinal) for ordinal in ORDINALS)))
    found = iter(verdicts((own, world) for world in worlds for own in ORDINALS))
    return {world: (next(found), next(found), next(found)) for world in worlds}


def deciders(world: Facts) -> list[int]:
    """The members that ask: those in no group."""
    return [ordinal for ordinal in ORDINALS if world[ordinal].startswith("outside")]


def test_every_set_of_facts_has_an_answer_of_the_known_kinds() -> None:
    kinds = {decision.split(" ")[0] for decisions in all_decisions().values() for decision in decisions}

    assert len(all_decisions()) == 22**3
    assert kinds == {"bootstrap", "join", "wait", "refuse", "quarantine"}


def test_two_members_never_start_a_group_on_the_same_facts() -> None:
    assert [world for world, decisions in all_decisions().items() if decisions.count("bootstrap") > 1] == []


def test_a_group_is_started_only_with_all_volumes_there_and_by_one_that_has_everything() -> None:
    for world, decisions in all_decisions().items():
        for ordinal, decision in enumerate(decisions):
            if decision == "bootstrap":
                assert deciders(world) == list(ORDINALS), world
                assert world[ordinal] == outside("012"), world


def test_a_member_that_sees_less_than_another_starts_no_group_beside_it() -> None:
    # Each member looks at its own time and through its own network: what one sees may be hidden from another.
    for world, decisions in all_decisions().items():
        for hidden in ORDINALS:
            seen = tuple(UNREACHABLE if ordinal == hidden else word for ordinal, word in enumerate(world))
            if "bootstrap" in decisions:
                assert "bootstrap" not in all_decisions()[seen], world


def test_beside_a_running_group_nobody_starts_another_and_only_subsets_join() -> None:
    for world, decisions in all_decisions().items():
        groups = [word.partition(",")[2] for word in world if word.startswith("online")]
        if not groups:
            continue
        assert "bootstrap" not in decisions, world
        for ordinal in deciders(world):
            known = any(str(ordinal) in has for has in groups)
            assert decisions[ordinal].split(" ")[0] == ("join" if known else "quarantine"), world


def test_members_agree_about_who_starts_the_group_or_why_nobody_does() -> None:
    for world, decisions in all_decisions().items():
        if any(word.startswith("online") for word in world):
            continue
        asked = {ordinal: decisions[ordinal] for ordinal in deciders(world)}
        starters = [ordinal for ordinal, decision in asked.items() if decision == "bootstrap"]
        expected = f"wait ordinal {starters[0]} has all transactions and should start the group" if starters else None
        others = {decision for ordinal, decision in asked.items() if ordinal not in starters}
        assert len(others) <= 1, world
        assert not starters or others == {expected}, world


def test_a_missing_volume_is_always_named() -> None:
    for world, decisions in all_decisions().items():
        missing = "+".join(str(ordinal) for ordinal in ORDINALS if world[ordinal] == UNREACHABLE)
        if missing and not any(word == BUSY or word.startswith("online") for word in world):
            assert {decisions[ordinal] for ordinal in deciders(world)} <= {
                f"refuse ordinal {missing} doesn't answer, and its volume may be the newest"
            }
