"""Points: charging them, and the payment group's decisions: one payment an order (R14), all in double entries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from doorbuster.contracts.bodies import (
    Body,
    OrderCancelled,
    PaymentCancelled,
    PaymentCancelRequested,
    PaymentPaid,
    PaymentRejected,
    PaymentRequested,
)
from doorbuster.kernel.errors import DecisionFailed, UnknownMessage
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.kernel.refusals import Refusal

MOST_CHARGE = 10_000_000
# Greater integers lose digits in JSON readers that hold numbers as doubles.
GREATEST_BALANCE = 2**53


class ImpossibleAmount(DecisionFailed):
    """A payment of negative points: no flow manager of ours asks for it."""


class EntryKind(StrEnum):
    """Why points moved; a transaction has each kind once at most."""

    CHARGE = "charge"
    SPEND = "spend"
    RESTORE = "restore"
    GRANT = "grant"
    """A user's first points, from a seed profile; no decision makes it."""


class SystemAccount(StrEnum):
    """The other side of users' entries; its balance is the sum of its entries and is stored nowhere (R8)."""

    CHARGES = "system:charges"
    SALES = "system:sales"
    GRANTS = "system:grants"


class PaymentStatus(StrEnum):
    """Where the payment group stands with an order."""

    NEW = "NEW"
    """A placeholder: nothing is decided."""
    PAID = "PAID"
    REJECTED = "REJECTED"
    REFUNDED = "REFUNDED"
    """Was paid; the points are back."""
    CANCELLED = "CANCELLED"
    """A cancel came before the payment: nothing will be spent."""


class PaymentRefusal(StrEnum):
    """Why points are not spent."""

    INSUFFICIENT_POINTS = "insufficient-points"
    UNKNOWN_USER = "unknown-user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One side of a movement; the entries of one transaction and kind sum to zero.

    Attributes:
        transaction_id: the order's id, or the charge's.
        account: `user:<id>`, or a SystemAccount.
        amount: points; negative when they leave the account.
    """

    transaction_id: UUID
    kind: EntryKind
    account: str
    amount: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The payment group's one row of an order.

    Attributes:
        user_id: who pays; None until a payment was requested, as is `amount`.
        amount: in points; 0 for an order whose coupon takes off all: PAID like any other, and without entries.
        reason: None unless REJECTED.
    """

    order_id: OrderId
    status: PaymentStatus
    updated_at: datetime
    user_id: UserId | None = None
    amount: int | None = None
    reason: PaymentRefusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentState:
    """What a batch needs of the database, locked.

    Attributes:
        payments: of every order in the batch; placeholders are NEW.
        balances: points by user, of every user in `users_needed`; one without a row is absent.
    """

    payments: Mapping[OrderId, Payment]
    balances: Mapping[UserId, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDecision:
    """What a batch changes.

    Attributes:
        payments: the rows that changed, with their new values, each order once.
        balances: the new balances of the users whose balance changed; never negative.
        entries: to be appended; they explain every change of a balance.
        events: in the order of the bodies that they answer.
    """

    payments: tuple[Payment, ...]
    balances: Mapping[UserId, int]
    entries: tuple[Entry, ...]
    events: tuple[Body, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePoints:
    """A user's command; the route minted `transaction_id` once, so a repeat carries the same (R1, R2)."""

    transaction_id: UUID
    user_id: UserId
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """The points are added; `balance` is the user's balance just after it."""

    transaction_id: UUID
    user_id: UserId
    amount: int
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeDecision:
    """What a batch of charges changes; `outcomes` are in the order of the commands."""

    outcomes: tuple[Charged | Refusal, ...]
    balances: Mapping[UserId, int]
    entries: tuple[Entry, ...]


def user_account(user_id: UserId) -> str:
    """Return the name of a user's account."""
    return f"user:{user_id}"


def users_needed(payments: Mapping[OrderId, Payment], bodies: Iterable[Body]) -> tuple[UserId, ...]:
    """Return the users whose balance the bodies may change, ascending as they are locked (R8)."""
    users: set[UserId] = set()
    for body in bodies:
        payment = payments[OrderId(body.order_id)]
        if isinstance(body, PaymentRequested) and payment.status is PaymentStatus.NEW:
            users.add(UserId(body.user_id))
        # A cancel restores what is paid already, or by a request earlier in this batch, which is counted above.
        if isinstance(body, OrderCancelled) and payment.status is PaymentStatus.PAID and payment.user_id is not None:
            users.add(payment.user_id)
    return tuple(sorted(users))


def charge(balances: Mapping[UserId, int], commands: Sequence[ChargePoints], now: datetime) -> ChargeDecision:
    """Return what the charges change.

    Args:
        balances: of the users of all commands; a user without a row is absent.
        commands: what users ask for, first come, first served.
        now: the database's time (R19).
    """
    book = _Book(balances, now)
    outcomes = tuple(_charged(book, command) for command in commands)
    return ChargeDecision(outcomes=outcomes, balances=book.changed(), entries=tuple(book.entries))


def decide(state: PaymentState, bodies: Sequence[Body], now: datetime) -> PaymentDecision:
    """Return what the bodies change and the answers to them, first come, first served.

    Raises:
        ImpossibleAmount: a payment of negative points.
        UnknownMessage: a body that the payment group doesn't read.
    """
    book = _Book(state.balances, now)
    payments = dict(state.payments)
    events: list[Body] = []
    for body in bodies:
        payment = payments[OrderId(body.order_id)]
        match body:
            case PaymentRequested():
                payment = _requested(payment, body, book)
                events.append(_outcome(payment))
            case PaymentCancelRequested():
                payment = _cancel_requested(payment, now)
                events.append(_outcome(payment))
            case OrderCancelled():
                payment = _order_cancelled(payment, book)
                events.append(PaymentCancelled(order_id=body.order_id))
            case _:
                raise UnknownMessage(f"the payment group doesn't read {body.type}")
        payments[payment.order_id] = payment
    changed = tuple(row for key, row in payments.items() if row != state.payments[key])
    return PaymentDecision(payments=changed, balances=book.changed(), entries=tuple(book.entries), events=tuple(events))


class _Book:
    """Balances as the batch goes on, with an entry for every change."""

    def __init__(self, balances: Mapping[UserId, int], now: datetime) -> None:
        self._before = balances
        self.now = now
        self.balances = dict(balances)
        self.entries: list[Entry] = []

    def move(self, user_id: UserId, amount: int, *, kind: EntryKind, transaction_id: UUID) -> None:
        # No points moved leave no entries: a pair of zeros would explain nothing.
        if amount == 0:
            return
        other = SystemAccount.CHARGES if kind is EntryKind.CHARGE else SystemAccount.SALES
        self.balances[user_id] += amount
        for account, signed in ((user_account(user_id), amount), (str(other), -amount)):
            self.entries.append(
                Entry(transaction_id=transaction_id, kind=kind, account=account, amount=signed, created_at=self.now)
            )

    def changed(self) -> Mapping[UserId, int]:
        return {user: balance for user, balance in self.balances.items() if balance != self._before[user]}


def _charged(book: _Book, command: ChargePoints) -> Charged | Refusal:
    user_id, amount = command.user_id, command.amount
    refusal = _charge_refusal(book.balances.get(user_id), command)
    if refusal:
        return refusal
    book.move(user_id, amount, kind=EntryKind.CHARGE, transaction_id=command.transaction_id)
    return Charged(
        transaction_id=command.transaction_id, user_id=user_id, amount=amount, balance=book.balances[user_id]
    )


def _charge_refusal(balance: int | None, command: ChargePoints) -> Refusal | None:
    if not 1 <= command.amount <= MOST_CHARGE:
        return Refusal(code="bad-amount", field="amount", detail=f"A charge is 1 to {MOST_CHARGE} points.")
    if balance is None:
        return Refusal(code="unknown-user", detail=f"User {command.user_id} has no account.")
    if balance + command.amount > GREATEST_BALANCE:
        return Refusal(code="balance-too-large", field="amount", detail=f"A balance is {GREATEST_BALANCE} at most.")
    return None


def _requested(payment: Payment, request: PaymentRequested, book: _Book) -> Payment:
    if payment.status is not PaymentStatus.NEW:
        return payment
    if request.amount < 0:
        raise ImpossibleAmount(f"{request.amount} points can't be spent")
    user_id = UserId(request.user_id)
    asked = replace(payment, user_id=user_id, amount=request.amount, updated_at=book.now)
    balance = book.balances.get(user_id)
    if balance is None:
        return replace(asked, status=PaymentStatus.REJECTED, reason=PaymentRefusal.UNKNOWN_USER)
    if balance < request.amount:
        return replace(asked, status=PaymentStatus.REJECTED, reason=PaymentRefusal.INSUFFICIENT_POINTS)
    book.move(user_id, -request.amount, kind=EntryKind.SPEND, transaction_id=payment.order_id)
    return replace(asked, status=PaymentStatus.PAID)


def _cancel_requested(payment: Payment, now: datetime) -> Payment:
    # The pivot: what is paid stays paid, and the flow manager hears so (R14).
    if payment.status is not PaymentStatus.NEW:
        return payment
    return replace(payment, status=PaymentStatus.CANCELLED, updated_at=now)


def _order_cancelled(payment: Payment, book: _Book) -> Payment:
    if payment.status is PaymentStatus.NEW:
        return replace(payment, status=PaymentStatus.CANCELLED, updated_at=book.now)
    if payment.status is not PaymentStatus.PAID or payment.user_id is None or payment.amount is None:
        return payment
    book.move(payment.user_id, payment.amount, kind=EntryKind.RESTORE, transaction_id=payment.order_id)
    return replace(payment, status=PaymentStatus.REFUNDED, updated_at=book.now)


def _outcome(payment: Payment) -> Body:
    match payment.status:
        case PaymentStatus.PAID:
            return PaymentPaid(order_id=payment.order_id)
        case PaymentStatus.REJECTED:
            return PaymentRejected(order_id=payment.order_id, reason=payment.reason or "")
        case _:
            return PaymentCancelled(order_id=payment.order_id)
