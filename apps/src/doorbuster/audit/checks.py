"""The checks that look at rows by their keys: which table is walked, what is asked of a scope, who judges it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from doorbuster.audit import statements
from doorbuster.audit.model import Finding, Limits
from doorbuster.audit.order_checks import OrderFacts, judge_order
from doorbuster.audit.sum_checks import (
    BalanceFacts,
    CouponFacts,
    IssueFacts,
    KeyFacts,
    MovementFacts,
    PaymentFacts,
    RedemptionFacts,
    judge_balance,
    judge_coupon,
    judge_issue,
    judge_key,
    judge_movement,
    judge_payment,
    judge_redemption,
    without_order,
)

BELOW_EVERY_ID = b""
# One more would be no BIGINT to MySQL, but a decimal number.
BELOW_EVERY_NUMBER = 1 - 2**63
BELOW_EVERY_MOMENT = datetime(1000, 1, 1)  # noqa: DTZ001  # as the driver writes and reads them: UTC without its name
# All users' accounts stand between these two.
BELOW_EVERY_USER = "user:"
ABOVE_EVERY_USER = "user;"

PAGE_ROWS = 5_000

Key: TypeAlias = int | bytes | str | datetime
"""A value of a column that is walked along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How a table is read page by page, ascending by one column; rows with equal values stay on one page.

    Attributes:
        name: what is counted in reports.
        column: the column.
        source: the table.
        first: a value below all that are walked along.
        last: a value above all; None when there is no other to leave out.
        distinct: whether a value is one row of a page, however often it is there.
        page_rows: rows of a page, or a few more.
    """

    name: str
    column: str
    source: str
    first: Key
    last: Key | None = None
    distinct: bool = False
    page_rows: int = PAGE_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The time of a snapshot, and the limits that count from it."""

    now: datetime
    limits: Limits


Values: TypeAlias = Sequence[Any]
"""A row as a statement found it; its columns are of several types."""
Judge: TypeAlias = Callable[[Values, Moment], Iterator[Finding]]
"""Reads a statement's row, and judges it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A statement over a scope of keys.

    Attributes:
        walk: where the scopes of a full scan come from.
        statement: with `{scope}`.
        column: what the scope limits, as the statement calls it.
        judge: what is made of each row.
    """

    walk: Walk
    statement: str
    column: str
    judge: Judge


def utc(moment: datetime | None) -> datetime | None:
    """Return a moment as the database has it, with its time zone."""
    return None if moment is None else moment.replace(tzinfo=UTC)


def order_facts(row: Values) -> OrderFacts:
    """Return the facts that a row of `statements.ORDERS` holds."""
    order_id, status, due, created, coupon, finished, compensated, step, is_open, *parts = row
    reservation, payment, paid, redemption, counted, announced = parts
    return OrderFacts(
        id=bytes(order_id),
        status=status,
        due=int(due),
        created_at=created.replace(tzinfo=UTC),
        coupon_id=coupon,
        finished_at=utc(finished),
        compensated_at=utc(compensated),
        step=step,
        saga_open=None if is_open is None else bool(is_open),
        reservation=reservation,
        payment=payment,
        paid=paid,
        redemption=redemption,
        counted_at=utc(counted),
        announced=bool(announced),
    )


def _order(row: Values, moment: Moment) -> Iterator[Finding]:
    return judge_order(order_facts(row), moment.now, moment.limits)


def _balance(row: Values, _: Moment) -> Iterator[Finding]:
    return judge_balance(BalanceFacts(user_id=int(row[0]), balance=row[1], entered=int(row[2])))


def _ownerless(row: Values, _: Moment) -> Iterator[Finding]:
    return judge_balance(BalanceFacts(user_id=int(row[0]), balance=None, entered=int(row[1])))


def _movement(row: Values, _: Moment) -> Iterator[Finding]:
    facts = MovementFacts(transaction_id=bytes(row[0]), kind=row[1], total=int(row[2]), paid_for=bool(row[3]))
    return judge_movement(facts)


def _payment(row: Values, _: Moment) -> Iterator[Finding]:
    order_id, status, amount, spent, restored = row
    return judge_payment(
        PaymentFacts(order_id=bytes(order_id), status=status, amount=amount, spent=int(spent), restored=int(restored))
    )


def _key(row: Values, _: Moment) -> Iterator[Finding]:
    key_id, created, answered, names, made, keys = row
    return judge_key(
        KeyFacts(
            id=bytes(key_id),
            created_at=created.replace(tzinfo=UTC),
            answered=bool(answered),
            names=names,
            made_at=utc(made),
            keys=int(keys),
        )
    )


def _coupon(row: Values, _: Moment) -> Iterator[Finding]:
    return judge_coupon(CouponFacts(coupon_id=row[0], total=row[1], issued=row[2], issues=int(row[3])))


def _redemption(row: Values, _: Moment) -> Iterator[Finding]:
    return judge_redemption(RedemptionFacts(order_id=bytes(row[0]), status=row[1], holds_its_issue=bool(row[2])))


def _issue(row: Values, _: Moment) -> Iterator[Finding]:
    return judge_issue(IssueFacts(id=bytes(row[0]), redemption=row[1]))


def _part(table: str) -> Check:
    return Check(
        walk=Walk(name=table, column="order_id", source=table, first=BELOW_EVERY_ID),
        statement=statements.WITHOUT_ORDER.replace("{table}", table),
        column="part.order_id",
        judge=lambda row, _: iter((without_order(bytes(row[0]), table=table),)),
    )


ORDERS = Check(
    walk=Walk(name="orders", column="id", source="orders", first=BELOW_EVERY_ID),
    statement=statements.ORDERS.replace("{announced}", statements.ANNOUNCED),
    column="o.id",
    judge=_order,
)
PARTS: Sequence[Check] = tuple(_part(table) for table in statements.PARTS)
BALANCES = Check(
    walk=Walk(name="users", column="user_id", source="point_balances", first=BELOW_EVERY_NUMBER),
    statement=statements.BALANCES,
    column="b.user_id",
    judge=_balance,
)
ENTRIES_WITHOUT_BALANCE = Check(
    walk=Walk(
        name="accounts",
        column="account",
        source="point_entries",
        first=BELOW_EVERY_USER,
        last=ABOVE_EVERY_USER,
        distinct=True,
    ),
    statement=statements.ENTRIES_WITHOUT_BALANCE,
    column="entry.account",
    judge=_ownerless,
)
MOVEMENTS = Check(
    walk=Walk(name="entries", column="transaction_id", source="point_entries", first=BELOW_EVERY_ID),
    statement=statements.MOVEMENTS,
    column="entry.transaction_id",
    judge=_movement,
)
PAYMENTS = Check(
    walk=Walk(name="payments_with_entries", column="order_id", source="payments", first=BELOW_EVERY_ID),
    statement=statements.PAYMENTS,
    column="payment.order_id",
    judge=_payment,
)
# By time, because what belongs to one answer was written at one time.
KEYS = Check(
    walk=Walk(name="keys", column="created_at", source="idempotency_keys", first=BELOW_EVERY_MOMENT),
    statement=statements.KEYS,
    column="k.created_at",
    judge=_key,
)
COUPONS = Check(
    # Few on a page: a coupon may have a million issues.
    walk=Walk(name="coupons", column="id", source="coupons", first=BELOW_EVERY_NUMBER, page_rows=10),
    statement=statements.COUPONS,
    column="c.id",
    judge=_coupon,
)
REDEMPTIONS = Check(
    walk=Walk(name="redemptions", column="order_id", source="coupon_redemptions", first=BELOW_EVERY_ID),
    statement=statements.REDEMPTIONS,
    column="r.order_id",
    judge=_redemption,
)
ISSUES = Check(
    walk=Walk(name="issues", column="id", source="coupon_issues", first=BELOW_EVERY_ID),
    statement=statements.ISSUES,
    column="issue.id",
    judge=_issue,
)
