"""Judges sums and single rows: stock, sales, balances, entries, payments, keys, coupons. Pure.

Statements have left out most of what is right; these functions decide on what is left, and word it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from doorbuster.audit.model import Breach, Finding, Id, Invariant, Subject
from doorbuster.coupons.model import RedemptionStatus
from doorbuster.points.model import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFacts:
    """A product's stock; `held` are the units of all reservations that are live or sold."""

    product_id: int
    supplied: int
    available: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesFacts:
    """What was counted of a product, and what the lines of the counted orders say."""

    product_id: int
    units: int
    orders: int
    units_in_orders: int
    orders_with_it: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceFacts:
    """A user's stored balance, None where there is none, and the sum of the user's entries."""

    user_id: int
    balance: int | None
    entered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementFacts:
    """The entries of one transaction and kind; `paid_for` tells whether an order's payment stands behind them."""

    transaction_id: bytes
    kind: str
    total: int
    paid_for: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFacts:
    """A payment, and the payer's entries of its order; negative when points left the account."""

    order_id: bytes
    status: str
    amount: int | None
    spent: int
    restored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """An idempotency key with the effect that its stored answer names.

    Attributes:
        created_at: when the key's transaction began.
        answered: whether it has an answer.
        names: what the answer names: `order` or `charge`; None for answers that name neither.
        made_at: when that was made; None when it isn't there.
        keys: how many keys name the same.
    """

    id: bytes
    created_at: datetime
    answered: bool
    names: str | None = None
    made_at: datetime | None = None
    keys: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponFacts:
    """A coupon's own counter beside the number of its issues."""

    coupon_id: int
    total: int
    issued: int
    issues: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionFacts:
    """An order's redemption, and whether the issue that it names is held by the order."""

    order_id: bytes
    status: str
    holds_its_issue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFacts:
    """An issue that an order holds, and the status of the redemption that names it; None where none does."""

    id: bytes
    redemption: str | None


def judge_stock(stock: StockFacts) -> Iterator[Finding]:
    """Yield a breach when units were sold twice, or vanished."""
    missing = stock.supplied - stock.available
    if stock.available < 0 or missing != stock.held:
        detail = f"{stock.supplied} supplied, {stock.available} available, {stock.held} reserved or sold"
        yield _breach(Invariant.STOCK, Subject.PRODUCT, stock.product_id, detail)


def judge_sales(sales: SalesFacts) -> Iterator[Finding]:
    """Yield a breach when a sale was counted twice or not, or what was counted is another order."""
    if (sales.units, sales.orders) != (sales.units_in_orders, sales.orders_with_it):
        counted = f"{sales.units} units in {sales.orders} orders"
        detail = f"{counted} are counted, the counted orders have {sales.units_in_orders} in {sales.orders_with_it}"
        yield _breach(Invariant.SALES, Subject.PRODUCT, sales.product_id, detail)


def judge_balance(user: BalanceFacts) -> Iterator[Finding]:
    """Yield a breach when a balance is negative, or not what the entries say; no balance is one of 0."""
    if user.balance is None:
        detail = f"there is no balance, and the entries say {user.entered}"
        yield _breach(Invariant.BALANCES, Subject.USER, user.user_id, detail)
    elif user.balance < 0 or user.balance != user.entered:
        detail = f"the balance is {user.balance}, the entries say {user.entered}"
        yield _breach(Invariant.BALANCES, Subject.USER, user.user_id, detail)


def judge_movement(movement: MovementFacts) -> Iterator[Finding]:
    """Yield a breach when points were made or lost, or moved for an order that no payment stands behind."""
    if movement.total != 0:
        detail = f"its entries of kind {movement.kind} sum to {movement.total}"
        yield _breach(Invariant.ENTRIES, Subject.TRANSACTION, movement.transaction_id, detail)
    if movement.kind in {"spend", "restore"} and not movement.paid_for:
        detail = f"it has entries of kind {movement.kind}, and no payment"
        yield _breach(Invariant.PAYMENTS, Subject.TRANSACTION, movement.transaction_id, detail)


def judge_payment(payment: PaymentFacts) -> Iterator[Finding]:
    """Yield a breach when the payer's entries say something else than the payment."""
    amount = payment.amount or 0
    match payment.status:
        case PaymentStatus.PAID:
            wanted = (-amount, 0)
        case PaymentStatus.REFUNDED:
            wanted = (-amount, amount)
        case _:
            wanted = (0, 0)
    if (payment.spent, payment.restored) != wanted:
        entered = f"the entries say {payment.spent} spent and {payment.restored} restored"
        detail = f"its payment is {payment.status}, {amount} points, and {entered}"
        yield _breach(Invariant.PAYMENTS, Subject.ORDER, payment.order_id, detail)


def judge_key(key: KeyFacts) -> Iterator[Finding]:
    """Yield a breach when a key's answer names what isn't there, or what was made for another key.

    Key and effect are one transaction with one time: what was made at another time was made by another one.
    """
    if not key.answered:
        yield _breach(Invariant.KEYS, Subject.KEY, key.id, "it has no answer")
    elif key.names is not None and key.made_at is None:
        yield _breach(Invariant.KEYS, Subject.KEY, key.id, f"its answer names a missing {key.names}")
    elif key.names is not None and (key.keys > 1 or key.made_at != key.created_at):
        yield _breach(Invariant.KEYS, Subject.KEY, key.id, f"its answer names the {key.names} of another key")


def judge_coupon(coupon: CouponFacts) -> Iterator[Finding]:
    """Yield a breach when a coupon's counter is wrong, or more are issued than there are."""
    if coupon.issued != coupon.issues or coupon.issues > coupon.total:
        detail = f"{coupon.issued} of {coupon.total} are counted as issued, {coupon.issues} are"
        yield _breach(Invariant.COUPONS, Subject.COUPON, coupon.coupon_id, detail)


def judge_redemption(redemption: RedemptionFacts) -> Iterator[Finding]:
    """Yield a breach when an order uses what it doesn't hold, or holds what it doesn't use."""
    if (redemption.status == RedemptionStatus.USED) is not redemption.holds_its_issue:
        holds = "holds" if redemption.holds_its_issue else "doesn't hold"
        detail = f"its redemption is {redemption.status}, and it {holds} the issue"
        yield _breach(Invariant.COUPONS, Subject.ORDER, redemption.order_id, detail)


def judge_issue(issue: IssueFacts) -> Iterator[Finding]:
    """Yield a breach when an issue is held for an order that doesn't use it."""
    if issue.redemption != RedemptionStatus.USED:
        status = issue.redemption or "missing"
        detail = f"it is held for an order, and that order's redemption of it is {status}"
        yield _breach(Invariant.COUPONS, Subject.ISSUE, issue.id, detail)


def unissued(issue_id: bytes, *, seconds: float) -> Breach:
    """Return the breach of an issue that was accepted and never finished."""
    return _breach(Invariant.COUPONS, Subject.ISSUE, issue_id, f"it is ACCEPTED since {seconds:.0f} s")


def without_order(order_id: bytes, *, table: str) -> Breach:
    """Return the breach of a row whose order isn't there: it was lost, or never was."""
    return _breach(Invariant.ORDERS, Subject.ORDER, order_id, f"it has a row in {table}, and there is no such order")


def unpublished(seq: int, *, topic: str, seconds: float) -> Breach:
    """Return the breach of a message that waits for too long."""
    return _breach(Invariant.OUTBOX, Subject.MESSAGE, seq, f"it waits since {seconds:.0f} s for {topic}")


def half_processed(message_id: bytes, *, group: str) -> Breach:
    """Return the breach of a processed id with the mark that no committed one has."""
    return _breach(Invariant.OUTBOX, Subject.MESSAGE, message_id, f"{group} claimed it, and never processed it")


def _breach(invariant: Invariant, subject: Subject, key: Id, detail: str) -> Breach:
    return Breach(invariant=invariant, subject=subject, id=key, detail=detail)
