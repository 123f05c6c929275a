from collections.abc import Mapping
from dataclasses import replace

import pytest

from loadtests.reports.evidence import Calibration, Evidence, HotProduct, Operator, OrderCounts, Replicas
from loadtests.reports.limits import Check, Subject
from loadtests.reports.verdict import Verdict, checks, verdict
from tests.unit.loadtests.reports.runs import OFF, ON

COUNTS = OrderCounts(offered=10_000, accepted=10_000, sold_out=0, paid=9_800, failed=200, pending=0)
CALIBRATION = Calibration(scheduled=1_000, offered=1_000, accepted=1_000, seconds_until_final=1.0)
GOOD = replace(ON, scheduled=10_000, orders=COUNTS, calibration=CALIBRATION, failure_reasons={"out-of-stock": 200})
HOT = HotProduct(units=200, wanted=600, sold_out=0, sold=200)
SCALED = Replicas(start=1, min=1, max=5, end=1)
SEEN = {Operator.ON: SCALED, Operator.OFF: OFF.replicas}

# For each check: the last value that passes, and the first that doesn't, or isn't known.
PROMISES: Mapping[str, tuple[list[Evidence], list[Evidence]]] = {
    "offered of scheduled": (
        [replace(GOOD, orders=replace(COUNTS, offered=9_800, accepted=9_800))],
        [replace(GOOD, orders=replace(COUNTS, offered=9_799, accepted=9_799)), replace(GOOD, scheduled=0)],
    ),
    "accepted or sold out of offered": (
        [
            replace(GOOD, orders=replace(COUNTS, accepted=9_950)),
            replace(GOOD, orders=replace(COUNTS, accepted=9_550, sold_out=400), hot=replace(HOT, sold_out=400)),
        ],
        [replace(GOOD, orders=replace(COUNTS, accepted=9_949))],
    ),
    "paid of accepted": (
        [replace(GOOD, orders=replace(COUNTS, paid=9_500))],
        [replace(GOOD, orders=replace(COUNTS, paid=9_499)), replace(GOOD, orders=replace(COUNTS, paid=None))],
    ),
    "pending at the end": (
        [GOOD],
        [replace(GOOD, orders=replace(COUNTS, pending=1)), replace(GOOD, orders=replace(COUNTS, pending=None))],
    ),
    "failed for another reason than out-of-stock": (
        [GOOD, replace(GOOD, failure_reasons={})],
        [
            replace(GOOD, failure_reasons={"out-of-stock": 199, "insufficient-points": 1}),
            replace(GOOD, failure_reasons={"unknown-product": 1}),
            replace(GOOD, failure_reasons=None),
        ],
    ),
    "failed on another than the hot product": (
        [GOOD],
        [replace(GOOD, failed_elsewhere=1), replace(GOOD, failed_elsewhere=None)],
    ),
    "sold out on another than the hot product": (
        [GOOD, replace(GOOD, orders=replace(COUNTS, sold_out=3), hot=replace(HOT, sold_out=3))],
        [replace(GOOD, orders=replace(COUNTS, sold_out=4), hot=replace(HOT, sold_out=3))],
    ),
    "units sold of the hot product": (
        [GOOD, replace(GOOD, hot=replace(HOT, wanted=60, sold=60))],
        [
            replace(GOOD, hot=replace(HOT, sold=199)),
            replace(GOOD, hot=replace(HOT, sold=201)),
            replace(GOOD, hot=replace(HOT, wanted=60, sold=61)),
            replace(GOOD, hot=replace(HOT, sold=None)),
            replace(GOOD, hot=None),
        ],
    ),
    "last arrival to all final": (
        [replace(GOOD, seconds_until_final=30.0)],
        [replace(GOOD, seconds_until_final=30.1), replace(GOOD, seconds_until_final=None)],
    ),
    "failed and not compensated": (
        [GOOD],
        [replace(GOOD, uncompensated=1), replace(GOOD, uncompensated=None)],
    ),
    "oldest record age": (
        [replace(GOOD, oldest_age_max_s=20.0)],
        [replace(GOOD, oldest_age_max_s=20.1), replace(GOOD, oldest_age_max_s=None)],
    ),
    "replicas at the start": (
        [GOOD],
        [replace(GOOD, replicas=replace(SCALED, start=2)), replace(GOOD, replicas=replace(SCALED, start=None))],
    ),
    "most replicas": (
        [replace(GOOD, replicas=replace(SCALED, max=4)), replace(GOOD, replicas=replace(SCALED, max=6))],
        [
            replace(GOOD, replicas=replace(SCALED, max=3)),
            replace(GOOD, replicas=replace(SCALED, max=7)),
            replace(GOOD, replicas=replace(SCALED, max=None)),
        ],
    ),
    "replicas at the end": (
        [GOOD],
        [replace(GOOD, replicas=replace(SCALED, end=2)), replace(GOOD, replicas=replace(SCALED, end=None))],
    ),
    "last arrival to one replica": (
        [replace(GOOD, seconds_until_one_replica=180.0)],
        [replace(GOOD, seconds_until_one_replica=180.1), replace(GOOD, seconds_until_one_replica=None)],
    ),
}  # fmt: skip
SAFETY: Mapping[str, list[Evidence]] = {
    "orders lost": [replace(GOOD, lost=1), replace(GOOD, lost=None)],
    "orders doubled": [replace(GOOD, doubled=1), replace(GOOD, doubled=None)],
    "units oversold": [replace(GOOD, oversold=1), replace(GOOD, oversold=None)],
    "users with negative points": [replace(GOOD, negative_points=1), replace(GOOD, negative_points=None)],
    "stock or points that don't fit": [replace(GOOD, misbooked=1), replace(GOOD, misbooked=None)],
}
MACHINE: Mapping[str, tuple[Calibration | None, Calibration | None]] = {
    "calibration: offered of scheduled": (
        replace(CALIBRATION, offered=980, accepted=980),
        replace(CALIBRATION, offered=979, accepted=979),
    ),
    "calibration: accepted of offered": (replace(CALIBRATION, accepted=995), replace(CALIBRATION, accepted=994)),
    "calibration: last arrival to all final": (
        replace(CALIBRATION, seconds_until_final=30.0),
        replace(CALIBRATION, seconds_until_final=None),
    ),
}


def failed(evidence: Evidence) -> list[str]:
    return [check.name for check in checks(evidence) if not check.passed]


def test_a_good_run_passes_every_check() -> None:
    assert failed(GOOD) == []
    assert verdict(GOOD) is Verdict.PASSED


@pytest.mark.parametrize("name", PROMISES)
def test_a_promise_holds_up_to_its_limit(name: str) -> None:
    for evidence in PROMISES[name][0]:
        assert failed(evidence) == []
        assert verdict(evidence) is Verdict.PASSED


@pytest.mark.parametrize("name", PROMISES)
def test_a_promise_is_broken_beyond_its_limit_or_when_nothing_is_known(name: str) -> None:
    for evidence in PROMISES[name][1]:
        assert failed(evidence) == [name]
        assert verdict(evidence) is Verdict.FAILED


@pytest.mark.parametrize("name", SAFETY)
@pytest.mark.parametrize("operator", list(Operator))
def test_what_was_lost_or_sold_twice_fails_with_and_without_the_operator(name: str, operator: Operator) -> None:
    for broken in SAFETY[name]:
        evidence = replace(broken, operator=operator, replicas=SEEN[operator], pending_at_load_end=6_000)
        assert failed(evidence) == [name]
        assert verdict(evidence) is Verdict.FAILED


@pytest.mark.parametrize("name", MACHINE)
def test_a_machine_that_is_too_slow_even_without_the_fault_is_not_comparable(name: str) -> None:
    enough, too_slow = (replace(GOOD, calibration=calibration) for calibration in MACHINE[name])

    assert (failed(enough), verdict(enough)) == ([], Verdict.PASSED)
    assert (failed(too_slow), verdict(too_slow)) == ([name], Verdict.NOT_COMPARABLE)


def test_without_a_calibration_nothing_is_comparable() -> None:
    evidence = replace(GOOD, calibration=None)

    assert failed(evidence) == list(MACHINE)
    assert verdict(evidence) is Verdict.NOT_COMPARABLE


def test_a_loss_is_a_failure_on_the_slowest_machine() -> None:
    for broken in SAFETY.values():
        for evidence in broken:
            assert verdict(replace(evidence, calibration=None)) is Verdict.FAILED


def test_a_slow_machine_is_not_the_platforms_failure() -> None:
    evidence = replace(GOOD, calibration=None, oldest_age_max_s=90.0, seconds_until_final=None)

    assert verdict(evidence) is Verdict.NOT_COMPARABLE


def test_without_the_operator_the_platform_has_to_fall_behind() -> None:
    behind = replace(GOOD, operator=Operator.OFF, replicas=OFF.replicas, pending_at_load_end=4_000)
    enough = replace(behind, pending_at_load_end=3_999)
    unknown = replace(behind, pending_at_load_end=None)

    assert (failed(behind), verdict(behind)) == ([], Verdict.FAILED_AS_EXPECTED)
    for evidence in (enough, unknown):
        assert (failed(evidence), verdict(evidence)) == (["pending when the load ended"], Verdict.FAILED)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("offered of scheduled", replace(OFF, scheduled=30_000)),
        ("accepted or sold out of offered", replace(OFF, orders=replace(OFF.orders, accepted=15_000))),
        ("most replicas", replace(OFF, replicas=replace(OFF.replicas, max=2))),
        ("most replicas", replace(OFF, replicas=replace(OFF.replicas, max=None))),
        ("fewest replicas", replace(OFF, replicas=replace(OFF.replicas, min=0))),
    ],
)
def test_what_falls_behind_for_another_reason_is_not_what_was_expected(name: str, other: Evidence) -> None:
    assert (failed(other), verdict(other)) == ([name], Verdict.FAILED)


def test_without_the_operator_its_promises_are_not_asked_for() -> None:
    assert {check.subject for check in checks(OFF)} == {Subject.SAFETY, Subject.MACHINE, Subject.FAILURE}
    assert verdict(OFF) is Verdict.FAILED_AS_EXPECTED
    assert verdict(replace(OFF, calibration=None)) is Verdict.NOT_COMPARABLE


def test_an_interrupted_run_shows_nothing() -> None:
    assert verdict(replace(GOOD, interrupted=True)) is Verdict.INTERRUPTED
    assert verdict(replace(GOOD, interrupted=True, lost=None)) is Verdict.INTERRUPTED


def test_only_a_run_that_has_shown_what_it_is_to_show_ends_with_zero() -> None:
    assert {each: each.exit_code for each in Verdict} == {
        Verdict.PASSED: 0,
        Verdict.FAILED: 1,
        Verdict.NOT_COMPARABLE: 3,
        Verdict.FAILED_AS_EXPECTED: 0,
        Verdict.INTERRUPTED: 130,
    }


def test_every_check_has_a_name_of_its_own_and_is_tested_above() -> None:
    names = [check.name for check in checks(GOOD)]

    assert len(names) == len(set(names))
    assert set(names) == {*PROMISES, *SAFETY, *MACHINE}


def shown(name: str, evidence: Evidence) -> tuple[str, str]:
    (found,) = [check for check in checks(evidence) if check.name == name]
    return found.shown, found.limit


def test_a_check_shows_its_value_beside_its_limit() -> None:
    nearly = replace(GOOD, orders=replace(COUNTS, offered=9_799, accepted=9_799))

    assert shown("offered of scheduled", nearly) == ("97.99 %", "at least 98 %")
    assert shown("oldest record age", GOOD) == ("13.90 s", "at most 20 s")
    assert shown("most replicas", GOOD) == ("5", "4 to 6")
    assert shown("units sold of the hot product", GOOD) == ("200", "exactly 200")
    assert shown("orders lost", replace(GOOD, lost=None)) == ("not known", "exactly 0")


def test_a_check_without_a_value_never_passes() -> None:
    nothing = replace(
        GOOD, calibration=None, scheduled=0, orders=OrderCounts(offered=0, accepted=0, sold_out=0, paid=None,
        failed=None, pending=None), failure_reasons=None, failed_elsewhere=None, hot=None, seconds_until_final=None,
        uncompensated=None, lost=None, doubled=None, oversold=None, negative_points=None, misbooked=None,
        oldest_age_max_s=None,
        replicas=Replicas(start=None, min=None, max=None, end=None), seconds_until_one_replica=None,
        pending_at_load_end=None,
    )  # fmt: skip
    found: list[Check] = [*checks(nothing), *checks(replace(nothing, operator=Operator.OFF))]

    assert {(check.value, check.passed) for check in found} == {(None, False)}


def test_a_calibration_that_is_too_slow_says_nothing_about_the_course_that_was_left_out() -> None:
    slow = replace(GOOD, calibration=replace(CALIBRATION, offered=979))

    assert {check.subject for check in checks(slow)} == {Subject.SAFETY, Subject.MACHINE}
