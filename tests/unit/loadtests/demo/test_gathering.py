from dataclasses import replace

import pytest

from loadtests.checks.orders import ListedOrder, OrderStatus, judge
from loadtests.demo.gathering import (
    Findings,
    Lists,
    evidence_of,
    latency_of,
    replicas_of,
    seconds_until_one_replica,
)
from loadtests.reports.evidence import HotProduct, OrderCounts, Replicas
from loadtests.reports.timeline import Moment, Phase
from loadtests.rig.load import last_arrival
from loadtests.witness import Attempt, Outcome
from tests.unit.loadtests.demo.test_plan import SUPPLIES, plan

HOT = 401


def bought(number: int, product: int = 3, *, seconds: float = 0.01) -> Attempt:
    return Attempt(
        at=100.0 + number, key=f"key-{number}", user_id=1001, product_id=product, outcome=Outcome.OK,
        order_id=f"order-{number}", status=202, seconds=seconds,
    )  # fmt: skip


def listed(number: int, status: OrderStatus, product: int = 3) -> ListedOrder:
    reason = "out-of-stock" if status is OrderStatus.FAILED else None
    return ListedOrder(order_id=f"order-{number}", status=status, units={product: 1}, failure_reason=reason)


ATTEMPTS = (bought(1), bought(2, HOT), bought(3, HOT))
ORDERS = {
    1001: (listed(1, OrderStatus.PAID), listed(2, OrderStatus.PAID, HOT), listed(3, OrderStatus.FAILED, HOT))
}  # fmt: skip
NOTHING_LOST = Lists(orders_by_user={}, judgement=judge([], {}))
FOUND = Findings(
    calibration_lists=NOTHING_LOST,
    attempts=ATTEMPTS,
    supplies=SUPPLIES,
    lists=Lists(orders_by_user=ORDERS, judgement=judge(ATTEMPTS, ORDERS)),
    oversold=0,
    negative_points=0,
    misbooked=0,
    uncompensated=0,
)


def moments(*replicas: int | None, phase: Phase = Phase.PEAK) -> list[Moment]:
    return [Moment(seconds=2.0 * number, phase=phase, replicas=count) for number, count in enumerate(replicas)]


def test_orders_are_counted_from_the_witness_and_the_lists() -> None:
    found = evidence_of(plan(), FOUND, [], interrupted=False)

    assert found.orders == OrderCounts(offered=3, accepted=3, sold_out=0, paid=2, failed=1, pending=0)
    assert found.hot == HotProduct(units=200, wanted=2, sold_out=0, sold=1)
    assert found.failure_reasons == {"out-of-stock": 1}
    assert (found.lost, found.doubled, found.failed_elsewhere) == (0, 0, 0)
    assert found.scheduled == 20_400


def test_what_was_told_to_be_sold_out_was_wanted_and_is_neither_accepted_nor_refused() -> None:
    told = [replace(bought(n, HOT), outcome=Outcome.SOLD_OUT, order_id=None, status=409) for n in (4, 5)]
    attempts = (*ATTEMPTS, *told)
    lists = Lists(orders_by_user=ORDERS, judgement=judge(attempts, ORDERS))
    found = evidence_of(plan(), replace(FOUND, attempts=attempts, lists=lists), [], interrupted=False)

    assert found.orders == OrderCounts(offered=5, accepted=3, sold_out=2, paid=2, failed=1, pending=0)
    assert found.hot == HotProduct(units=200, wanted=4, sold_out=2, sold=1)
    assert (found.refused, found.unknown, found.lost, found.doubled) == (0, 0, 0, 0)


def test_an_order_that_is_in_no_list_is_lost() -> None:
    lists = Lists(orders_by_user={}, judgement=judge(ATTEMPTS, {}))

    assert evidence_of(plan(), replace(FOUND, lists=lists), [], interrupted=False).lost == 3


def test_an_order_without_an_end_is_lost_too() -> None:
    orders = {1001: (*ORDERS[1001][:2], listed(3, OrderStatus.PENDING, HOT))}
    lists = Lists(orders_by_user=orders, judgement=judge(ATTEMPTS, orders))

    assert evidence_of(plan(), replace(FOUND, lists=lists), [], interrupted=False).lost == 1


def test_what_the_calibration_lost_or_doubled_counts_as_well() -> None:
    lists = Lists(orders_by_user=ORDERS, judgement=judge([*ATTEMPTS[:2], bought(4)], ORDERS))
    found = evidence_of(plan(), replace(FOUND, calibration_lists=lists), [], interrupted=False)

    assert (found.lost, found.doubled) == (1, 1)
    assert found.orders.accepted == 3


@pytest.mark.parametrize("half", [replace(FOUND, calibration_lists=None), replace(FOUND, lists=None)])
def test_while_one_load_is_not_judged_nobody_knows_what_was_lost(half: Findings) -> None:
    found = evidence_of(plan(), half, [], interrupted=False)

    assert (found.lost, found.doubled) == (None, None)


def test_without_a_course_the_calibration_alone_says_what_was_lost() -> None:
    found = evidence_of(plan(), Findings(calibration_lists=NOTHING_LOST), [], interrupted=False)

    assert (found.lost, found.doubled) == (0, 0)


def test_an_interrupted_run_knows_only_what_its_witness_says() -> None:
    found = evidence_of(plan(), Findings(attempts=ATTEMPTS), [], interrupted=True)

    assert found.orders == OrderCounts(offered=3, accepted=3, sold_out=0, paid=None, failed=None, pending=None)
    assert (found.lost, found.oversold, found.hot, found.failure_reasons) == (None, None, None, None)
    assert found.interrupted


def test_the_worst_lag_and_age_are_those_under_load() -> None:
    seen = [
        Moment(seconds=0, phase=Phase.CALIBRATION, lag=900, oldest_age_s=90.0),
        Moment(seconds=2, phase=Phase.PEAK, lag=10, oldest_age_s=3.0),
        Moment(seconds=4, phase=Phase.QUIET, lag=None, oldest_age_s=4.0),
        Moment(seconds=6, phase=Phase.RECOVERY, lag=800, oldest_age_s=80.0),
    ]
    found = evidence_of(plan(), FOUND, seen, interrupted=False)

    assert (found.lag_max, found.oldest_age_max_s) == (10, 4.0)


@pytest.mark.parametrize("known", [[0, 2, 18, 20], [16, 18, 20], [0, 2, 4]])
def test_an_age_that_was_not_known_for_too_long_is_not_known(known: list[int]) -> None:
    seen = [
        Moment(seconds=second, phase=Phase.PEAK, oldest_age_s=1.0 if second in known else None)
        for second in range(0, 22, 2)
    ]
    found = evidence_of(plan(), FOUND, seen, interrupted=False)

    assert found.oldest_age_max_s is None


def test_a_look_without_an_answer_now_and_then_hides_nothing() -> None:
    seen = [
        Moment(seconds=second, phase=Phase.PEAK, oldest_age_s=float(second) if second % 4 == 0 else None)
        for second in range(0, 22, 2)
    ]
    assert evidence_of(plan(), FOUND, seen, interrupted=False).oldest_age_max_s == 20.0


def test_nothing_seen_is_not_known() -> None:
    found = evidence_of(plan(), FOUND, [], interrupted=False)

    assert (found.lag_max, found.oldest_age_max_s) == (None, None)
    assert found.replicas == Replicas(start=None, min=None, max=None, end=None)


def test_replicas_are_those_between_the_first_order_and_the_recovery() -> None:
    seen = [*moments(9, phase=Phase.FAULT), *moments(1, None, 4, 5, 1), *moments(7, phase=Phase.RECOVERY)]

    assert replicas_of(seen) == Replicas(start=1, min=1, max=5, end=1)


def test_one_replica_counts_from_when_it_stays() -> None:
    assert seconds_until_one_replica(moments(1, 4, 1, 2, None, 1, None, 1), last_arrival=7.0) == 3.0


def test_a_target_that_never_needed_more_was_there_at_once() -> None:
    assert seconds_until_one_replica(moments(1, 1), last_arrival=7.0) == 0.0


def test_a_target_that_keeps_its_replicas_was_never_scaled_in() -> None:
    assert seconds_until_one_replica(moments(1, 4), last_arrival=0.0) is None
    assert seconds_until_one_replica([], last_arrival=0.0) is None


def test_a_repeat_is_no_arrival() -> None:
    again = replace(ATTEMPTS[0], at=140.0)

    assert last_arrival([*ATTEMPTS, again]) == 103.0


def test_a_repeated_order_was_waited_for_since_its_first_try() -> None:
    first = replace(bought(1, seconds=10.0), outcome=Outcome.UNKNOWN, order_id=None)
    found = latency_of([first, replace(bought(1, seconds=0.5), at=first.at + 11)])

    assert found is not None
    assert found.p50 == 11_500.0


def test_latencies_are_of_accepted_tries_in_milliseconds() -> None:
    tries = [bought(number, seconds=number / 1000) for number in range(1, 101)]
    found = latency_of([*tries, replace(tries[0], outcome=Outcome.FAIL, seconds=9.0)])

    assert found is not None
    assert (found.p50, found.p95, found.p99) == (51.0, 96.0, 100.0)
    assert latency_of([]) is None
