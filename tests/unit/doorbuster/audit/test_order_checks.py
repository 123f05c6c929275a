from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from doorbuster.audit.model import Breach, Finding, Invariant, Limits, Subject, Waiting
from doorbuster.audit.order_checks import OrderFacts, judge_order

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
LIMITS = Limits()
LONG_AGO = NOW - timedelta(hours=3)
JUST_NOW = NOW - timedelta(seconds=2)
ID = bytes(range(16))

PENDING = OrderFacts(id=ID, status="PENDING", due=500, created_at=JUST_NOW, step="RESERVING", saga_open=True)
PAID = OrderFacts(
    id=ID,
    status="PAID",
    due=500,
    created_at=LONG_AGO,
    finished_at=LONG_AGO,
    step="DONE",
    saga_open=False,
    reservation="RESERVED",
    payment="PAID",
    paid=500,
    redemption="NONE",
    counted_at=LONG_AGO,
)
FAILED = OrderFacts(
    id=ID,
    status="FAILED",
    due=500,
    created_at=LONG_AGO,
    finished_at=LONG_AGO,
    compensated_at=LONG_AGO,
    step="COMPENSATED",
    saga_open=False,
    reservation="RELEASED",
    payment="REJECTED",
    redemption="RELEASED",
)
FAILING = replace(FAILED, finished_at=JUST_NOW, compensated_at=None, step="COMPENSATING", saga_open=True)


def judged(order: OrderFacts, limits: Limits = LIMITS) -> list[Finding]:
    return list(judge_order(order, NOW, limits))


def broken(findings: list[Finding]) -> set[Invariant]:
    return {finding.invariant for finding in findings if isinstance(finding, Breach)}


@pytest.mark.parametrize("order", [PAID, FAILED, replace(PAID, coupon_id=3, redemption="USED")])
def test_an_order_at_its_end_with_all_that_belongs_to_it_is_right(order: OrderFacts) -> None:
    assert judged(order) == []


@pytest.mark.parametrize(
    ("order", "waiting"),
    [
        (PENDING, Waiting.PENDING),
        (replace(PENDING, step="STOPPING", reservation="RESERVED", payment="NEW"), Waiting.PENDING),
        (FAILING, Waiting.UNCOMPENSATED),
        (replace(FAILING, reservation="RESERVED", redemption="USED"), Waiting.UNCOMPENSATED),
        (replace(PAID, finished_at=JUST_NOW, counted_at=None), Waiting.UNCOUNTED),
    ],
)
def test_what_is_under_way_is_counted_and_no_breach(order: OrderFacts, waiting: Waiting) -> None:
    assert judged(order) == [waiting]


LATE = NOW - LIMITS.final - timedelta(seconds=1)
# An order with one thing wrong, and what that breaks.
PLANTED = [
    (replace(PENDING, created_at=LATE), {Invariant.ORDERS}),
    (replace(PENDING, finished_at=JUST_NOW), {Invariant.ORDERS}),
    (replace(PENDING, step="DONE", saga_open=False), {Invariant.ORDERS}),
    (replace(PENDING, step=None, saga_open=None), {Invariant.ORDERS}),
    (replace(PENDING, saga_open=False), {Invariant.ORDERS}),
    (replace(PENDING, announced=False), {Invariant.OUTBOX}),
    (replace(PENDING, status="SHIPPED"), {Invariant.ORDERS}),
    (replace(PAID, compensated_at=LONG_AGO), {Invariant.ORDERS}),
    (replace(PAID, finished_at=None), {Invariant.ORDERS}),
    (replace(PAID, step="PAYING", saga_open=True), {Invariant.ORDERS}),
    (replace(PAID, saga_open=True), {Invariant.ORDERS}),
    (replace(PAID, reservation="RELEASED"), {Invariant.RESERVATIONS}),
    (replace(PAID, reservation=None), {Invariant.RESERVATIONS}),
    (replace(PAID, payment="REFUNDED"), {Invariant.PAYMENTS}),
    (replace(PAID, payment=None, paid=None), {Invariant.PAYMENTS}),
    (replace(PAID, paid=499), {Invariant.PAYMENTS}),
    (replace(PAID, redemption="USED"), {Invariant.COUPONS}),
    (replace(PAID, coupon_id=3), {Invariant.COUPONS}),
    (replace(PAID, redemption=None), {Invariant.COUPONS}),
    (replace(PAID, counted_at=None), {Invariant.SALES}),
    (replace(PAID, counted_at=datetime(1970, 1, 2, tzinfo=UTC)), {Invariant.SALES}),
    (replace(FAILED, counted_at=LONG_AGO), {Invariant.SALES}),
    (replace(FAILED, payment="PAID"), {Invariant.PAYMENTS}),
    (replace(FAILED, payment=None), {Invariant.PAYMENTS}),
    (replace(FAILED, reservation="RESERVED"), {Invariant.RESERVATIONS}),
    (replace(FAILED, redemption="USED"), {Invariant.COUPONS}),
    (replace(FAILED, finished_at=None), {Invariant.ORDERS}),
    (replace(FAILED, step="COMPENSATING", saga_open=True), {Invariant.ORDERS}),
    (replace(FAILING, finished_at=LONG_AGO), {Invariant.ORDERS}),
    (replace(FAILING, payment="PAID"), {Invariant.PAYMENTS}),
]


@pytest.mark.parametrize(("order", "expected"), PLANTED)
def test_one_thing_that_is_wrong_breaks_one_invariant_of_this_order(
    order: OrderFacts, expected: set[Invariant]
) -> None:
    findings = judged(order)

    assert broken(findings) == expected
    assert {(each.subject, each.id) for each in findings if isinstance(each, Breach)} == {(Subject.ORDER, ID)}


def test_limits_are_those_that_were_asked_for_and_count_to_the_moment() -> None:
    on_time = replace(PENDING, created_at=NOW - LIMITS.final)
    patient = Limits(final=timedelta(hours=1))

    assert broken(judged(on_time)) == set()
    assert broken(judged(replace(PENDING, created_at=NOW - timedelta(minutes=59)), patient)) == set()
    assert broken(judged(replace(FAILING, finished_at=NOW - timedelta(seconds=60)))) == set()
    assert broken(judged(replace(FAILING, finished_at=NOW - timedelta(seconds=60.1)))) == {Invariant.ORDERS}


def test_a_detail_says_what_is_wrong() -> None:
    (breach,) = judged(replace(PAID, paid=499))

    assert breach == Breach(
        invariant=Invariant.PAYMENTS,
        subject=Subject.ORDER,
        id=ID,
        detail="it is PAID, and its payment is PAID, 499 of 500 points",
    )
