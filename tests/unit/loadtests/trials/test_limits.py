from dataclasses import replace

import pytest

from loadtests.arrivals import Arrivals
from loadtests.checks.charges import ChargeJudgement
from loadtests.checks.issues import IssueJudgement
from loadtests.checks.orders import Judgement
from loadtests.reports.limits import Check, Subject
from loadtests.reports.measurements import Measurement
from loadtests.reports.verdict import Verdict, verdict_of
from loadtests.trials import limits

FAST = Measurement(
    name="x", requests=3000, per_second=50.0, mean_ms=20.0, p50_ms=15.0, p95_ms=40.0, p99_ms=90.0, intents=3000,
    ok=3000, sold_out=0, refused=0, unknown=0,
)  # fmt: skip
ALL_PAID = Judgement(
    offered=2500, accepted=2500, sold_out=0, refused=0, unknown=0, paid=2500, failed=0, pending=0, surfaced=0, lost=(),
    doubled=(), failures={},
)  # fmt: skip
CHARGED = ChargeJudgement(accepted=500, unknown=0, lost=(), doubled=())
GIVEN = IssueJudgement(
    users=5000, holders=500, told=500, surfaced=0, not_issued=0, duplicated=(), lost=(), over_issued=0, counted=500,
    miscounted=0,
)  # fmt: skip
ARRIVED = Arrivals(started_at=0, scheduled=2500, begun=2500, finished=True)


def s1(requests: Measurement = FAST, orders: Judgement = ALL_PAID, charges: ChargeJudgement = CHARGED) -> list[Check]:
    return list(limits.points_and_orders(requests, scheduled=3000, orders=orders, charges=charges))


def spike(asks: Measurement = FAST, judged: IssueJudgement = GIVEN, *, late: float = 0.0) -> list[Check]:
    return list(limits.coupon_rush(asks, judged, total=500, latest_seconds=late, p95_ms=limits.SPIKE_P95_MS))


def ramp(judged: Judgement = ALL_PAID, *, arrivals: Arrivals = ARRIVED, open_at_end: int | None = 0) -> list[Check]:
    return list(limits.order_ramp(judged, arrivals, open_at_end=open_at_end, seconds_until_final=2.0))


def missed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.passed]


def test_all_limits_kept_is_passed() -> None:
    assert missed([*s1(), *spike(), *ramp()]) == []
    assert verdict_of([*s1(), *spike(), *ramp()]) is Verdict.PASSED


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"mean_ms": 100.0}, "answered within, mean"),
        ({"p95_ms": 500.0}, "answered within, p95"),
        ({"p99_ms": 1000.0}, "answered within, p99"),
        ({"p99_ms": None}, "answered within, p99"),
        ({"ok": 2970}, "succeeded of scheduled"),
    ],
)
def test_a_figure_at_its_limit_is_missed(changed: dict[str, float | None], name: str) -> None:
    checks = s1(replace(FAST, **changed))  # type: ignore[arg-type]  # of the field's type

    assert (missed(checks), verdict_of(checks)) == ([name], Verdict.FAILED)


def test_what_was_never_begun_did_not_succeed() -> None:
    checks = s1(replace(FAST, intents=2000, ok=2000))

    assert missed(checks) == ["succeeded of scheduled"]


@pytest.mark.parametrize(
    ("judged", "name"),
    [
        (replace(GIVEN, duplicated=("a",)), "coupons duplicated"),
        (replace(GIVEN, over_issued=1), "coupons given away beyond what there are"),
        (replace(GIVEN, lost=("a",)), "coupons lost"),
        (replace(GIVEN, miscounted=1), "holders and the database's count apart"),
        (replace(GIVEN, holders=499), "users who hold a coupon"),
        (replace(GIVEN, not_issued=1), "coupons not ISSUED in the end"),
    ],
)
def test_a_coupon_that_went_wrong_is_named(judged: IssueJudgement, name: str) -> None:
    assert missed(spike(judged=judged)) == [name]


def test_with_fewer_users_than_coupons_everybody_holds_one() -> None:
    assert missed(spike(judged=replace(GIVEN, users=300, holders=300, told=300, counted=300))) == []


def test_sold_out_is_no_error_of_a_spike_and_a_refusal_is_one() -> None:
    sold_out = replace(FAST, ok=100, sold_out=2900)
    refused = replace(FAST, ok=100, sold_out=2750, refused=100, unknown=50)

    assert missed(spike(sold_out)) == []
    assert missed(spike(refused)) == ["errors of all asks, sold out left out"]


def test_a_generator_that_is_too_slow_can_not_be_compared_but_a_breach_counts_first() -> None:
    late = spike(late=2.5)

    assert verdict_of(late) is Verdict.NOT_COMPARABLE
    assert verdict_of([*late, *spike(judged=replace(GIVEN, over_issued=1))]) is Verdict.FAILED


def test_arrivals_for_which_there_was_no_room_are_the_platforms_and_late_ones_the_generators() -> None:
    no_room = replace(ARRIVED, begun=2000, no_room=500)
    too_late = replace(ARRIVED, begun=2000, too_late=500)

    assert verdict_of(ramp(arrivals=no_room)) is Verdict.FAILED
    assert verdict_of(ramp(arrivals=too_late)) is Verdict.NOT_COMPARABLE


@pytest.mark.parametrize(
    ("judged", "open_at_end", "names"),
    [
        (ALL_PAID, 24, []),
        (ALL_PAID, 25, ["pending when the load ended"]),
        (ALL_PAID, 126, ["paid when the load ended", "pending when the load ended"]),
        (ALL_PAID, None, ["paid when the load ended", "pending when the load ended"]),
        (replace(ALL_PAID, paid=2376, failed=124), 0, []),
        (replace(ALL_PAID, paid=2375, failed=125), 0, ["failed of accepted"]),
        (replace(ALL_PAID, paid=2499, pending=1), 0, ["pending in the end"]),
        (replace(ALL_PAID, lost=("a",)), 0, ["orders lost"]),
    ],
)
def test_a_ramp_is_judged_when_it_ends_and_in_the_end(
    judged: Judgement, open_at_end: int | None, names: list[str]
) -> None:
    assert missed(ramp(judged, open_at_end=open_at_end)) == names


def test_lag_and_the_caches_gain_are_aims() -> None:
    slow, fast = replace(FAST, per_second=100.0), replace(FAST, per_second=250.0)

    aims = [limits.lag(8400.0), limits.lag(None), limits.caching_gain(fast, slow)]
    assert (verdict_of(aims), {check.subject for check in aims}) == (Verdict.PASSED, {Subject.AIM})
    assert limits.caching_gain(slow, fast).value == 2.5
    assert limits.caching_gain(replace(slow, per_second=None), fast).value is None


def test_errors_of_either_side_are_missed_figures() -> None:
    found = limits.caching_side(
        "off",
        replace(FAST, refused=1),
        replace(FAST, unknown=1),
        judged=replace(ALL_PAID, failed=1),
        charges=ChargeJudgement(accepted=99, unknown=1, lost=(1,), doubled=(2,)),
        users=100,
    )

    assert missed(list(found)) == [
        "users who lost a charge, caches off",
        "users charged twice, caches off",
        "charges accepted, caches off",
        "errors of reads, caches off",
        "errors of orders, caches off",
        "orders not paid, caches off",
    ]


@pytest.mark.parametrize("orders", [replace(FAST, sold_out=1), replace(FAST, refused=1)])
def test_what_is_sold_out_is_an_error_where_there_is_enough_of_everything(orders: Measurement) -> None:
    charges = ChargeJudgement(accepted=100, unknown=0, lost=(), doubled=())
    found = limits.caching_side("on", FAST, orders, judged=ALL_PAID, charges=charges, users=100)

    assert missed(list(found)) == ["errors of orders, caches on"]
