from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from doorbuster.audit.model import Breach, Finding, Invariant, Subject
from doorbuster.audit.sum_checks import (
    BalanceFacts,
    CouponFacts,
    IssueFacts,
    KeyFacts,
    MovementFacts,
    PaymentFacts,
    RedemptionFacts,
    SalesFacts,
    StockFacts,
    half_processed,
    judge_balance,
    judge_coupon,
    judge_issue,
    judge_key,
    judge_movement,
    judge_payment,
    judge_redemption,
    judge_sales,
    judge_stock,
    unissued,
    unpublished,
    without_order,
)

ID = bytes(range(16))
AT = datetime(2026, 5, 1, tzinfo=UTC)
LATER = AT + timedelta(microseconds=1)


def marks(findings: Iterator[Finding]) -> list[tuple[Invariant, Subject, int | bytes]]:
    return [(each.invariant, each.subject, each.id) for each in findings if isinstance(each, Breach)]


def stock(*, supplied: int, available: int, held: int) -> StockFacts:
    return StockFacts(product_id=7, supplied=supplied, available=available, held=held)


def payment(status: str, *, amount: int | None = 500, spent: int = 0, restored: int = 0) -> PaymentFacts:
    return PaymentFacts(order_id=ID, status=status, amount=amount, spent=spent, restored=restored)


def key(*, answered: bool = True, names: str | None = "order", made: datetime | None = AT, keys: int = 1) -> KeyFacts:
    return KeyFacts(id=ID, created_at=AT, answered=answered, names=names, made_at=made, keys=keys)


@pytest.mark.parametrize("facts", [stock(supplied=10, available=10, held=0), stock(supplied=10, available=0, held=10)])
def test_stock_that_adds_up_is_right(facts: StockFacts) -> None:
    assert marks(judge_stock(facts)) == []


@pytest.mark.parametrize(
    "facts",
    [
        stock(supplied=10, available=6, held=5),  # one was sold twice
        stock(supplied=10, available=6, held=3),  # one vanished
        stock(supplied=10, available=11, held=0),  # one came from nowhere
        stock(supplied=10, available=-1, held=11),  # sold what there wasn't
    ],
)
def test_stock_that_does_not_add_up_is_a_breach_of_the_product(facts: StockFacts) -> None:
    assert marks(judge_stock(facts)) == [(Invariant.STOCK, Subject.PRODUCT, 7)]


def test_sales_are_those_of_the_counted_orders_in_units_and_in_orders() -> None:
    right = SalesFacts(product_id=7, units=5, orders=2, units_in_orders=5, orders_with_it=2)
    twice = SalesFacts(product_id=7, units=10, orders=4, units_in_orders=5, orders_with_it=2)
    other = SalesFacts(product_id=7, units=5, orders=3, units_in_orders=5, orders_with_it=2)

    assert marks(judge_sales(right)) == []
    assert marks(judge_sales(twice)) == marks(judge_sales(other)) == [(Invariant.SALES, Subject.PRODUCT, 7)]


@pytest.mark.parametrize(
    ("balance", "entered", "right"),
    [(0, 0, True), (700, 700, True), (700, 701, False), (-5, -5, False), (None, 300, False), (None, 0, False)],
)
def test_a_balance_is_there_and_is_what_the_entries_say(balance: int | None, entered: int, right: bool) -> None:  # noqa: FBT001
    found = marks(judge_balance(BalanceFacts(user_id=3, balance=balance, entered=entered)))

    assert found == ([] if right else [(Invariant.BALANCES, Subject.USER, 3)])


def test_entries_cancel_out_and_have_a_payment_where_an_order_moved_them() -> None:
    def found(kind: str, *, total: int, paid_for: bool) -> list[Invariant]:
        facts = MovementFacts(transaction_id=ID, kind=kind, total=total, paid_for=paid_for)
        return [invariant for invariant, _, _ in marks(judge_movement(facts))]

    assert found("spend", total=0, paid_for=True) == found("grant", total=0, paid_for=False) == []
    assert found("charge", total=5, paid_for=False) == [Invariant.ENTRIES]
    assert found("restore", total=0, paid_for=False) == [Invariant.PAYMENTS]
    assert found("spend", total=-1, paid_for=False) == [Invariant.ENTRIES, Invariant.PAYMENTS]


@pytest.mark.parametrize(
    ("facts", "right"),
    [
        (payment("PAID", spent=-500), True),
        (payment("REFUNDED", spent=-500, restored=500), True),
        (payment("REJECTED"), True),
        (payment("CANCELLED", amount=None), True),
        (payment("PAID", spent=-499), False),
        (payment("PAID"), False),
        (payment("PAID", spent=-500, restored=500), False),
        (payment("REFUNDED", spent=-500), False),
        (payment("REFUNDED", spent=-500, restored=1000), False),
        (payment("REJECTED", spent=-500), False),
        (payment("CANCELLED", amount=None, restored=1), False),
    ],
)
def test_the_payers_entries_say_what_the_payment_says(facts: PaymentFacts, right: bool) -> None:  # noqa: FBT001
    assert marks(judge_payment(facts)) == ([] if right else [(Invariant.PAYMENTS, Subject.ORDER, ID)])


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        (key(), None),
        (key(names="charge"), None),
        (key(names=None, made=None, keys=9), None),  # answers that name nothing have nothing in common
        (key(answered=False, names=None, made=None), "it has no answer"),
        (key(made=None), "its answer names a missing order"),
        (key(names="charge", made=None), "its answer names a missing charge"),
        (key(made=LATER), "its answer names the order of another key"),
        (key(keys=2), "its answer names the order of another key"),
    ],
)
def test_a_key_has_one_effect_of_its_own(facts: KeyFacts, detail: str | None) -> None:
    assert [each.detail for each in judge_key(facts) if isinstance(each, Breach)] == ([detail] if detail else [])


@pytest.mark.parametrize(
    ("total", "issued", "issues", "right"),
    [(5, 5, 5, True), (5, 0, 0, True), (5, 4, 5, False), (5, 5, 4, False), (5, 6, 6, False)],
)
def test_coupons_are_counted_and_never_more_than_there_are(
    total: int,
    issued: int,
    issues: int,
    right: bool,  # noqa: FBT001
) -> None:
    found = marks(judge_coupon(CouponFacts(coupon_id=2, total=total, issued=issued, issues=issues)))

    assert found == ([] if right else [(Invariant.COUPONS, Subject.COUPON, 2)])


@pytest.mark.parametrize(
    ("status", "holds", "right"), [("USED", True, True), ("RELEASED", False, True), ("USED", False, False),
                                   ("RELEASED", True, False)]
)  # fmt: skip
def test_an_order_holds_the_issue_that_it_uses_and_no_other(status: str, holds: bool, right: bool) -> None:  # noqa: FBT001
    found = marks(judge_redemption(RedemptionFacts(order_id=ID, status=status, holds_its_issue=holds)))

    assert found == ([] if right else [(Invariant.COUPONS, Subject.ORDER, ID)])


@pytest.mark.parametrize(("redemption", "right"), [("USED", True), ("RELEASED", False), (None, False)])
def test_an_issue_is_held_for_an_order_that_uses_it(redemption: str | None, right: bool) -> None:  # noqa: FBT001
    found = marks(judge_issue(IssueFacts(id=ID, redemption=redemption)))

    assert found == ([] if right else [(Invariant.COUPONS, Subject.ISSUE, ID)])


def test_rows_that_break_an_invariant_by_being_there_are_named() -> None:
    breaches = [
        without_order(ID, table="payments"),
        unissued(ID, seconds=301.2),
        unpublished(9, topic="order-created", seconds=61.4),
        half_processed(ID, group="stock-service-group"),
    ]

    assert [(each.invariant, each.shown_id, each.detail) for each in breaches] == [
        (
            Invariant.ORDERS,
            "00010203-0405-0607-0809-0a0b0c0d0e0f",
            "it has a row in payments, and there is no such order",
        ),
        (Invariant.COUPONS, "00010203-0405-0607-0809-0a0b0c0d0e0f", "it is ACCEPTED since 301 s"),
        (Invariant.OUTBOX, "9", "it waits since 61 s for order-created"),
        (Invariant.OUTBOX, ID.hex(), "stock-service-group claimed it, and never processed it"),
    ]
