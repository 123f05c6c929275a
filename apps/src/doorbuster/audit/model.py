"""The auditor's words: invariants, what breaks them, and what is merely under way."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

# Kept of one invariant, to be looked at again; the count goes on.
MOST_KEPT = 1_000
# Named in a report.
MOST_SHOWN = 20


class Invariant(StrEnum):
    """What must hold at any moment, orders under way or not, by the value of its label."""

    STOCK = "stock_adds_up"
    """Of each product as many units were supplied as are available, reserved or sold; none is sold twice."""
    ORDERS = "order_has_one_end"
    """Each order is PAID or FAILED in time, never both; a failed one is compensated; order and saga agree."""
    RESERVATIONS = "order_agrees_with_reservation"
    """A PAID order has its units, a compensated one has none."""
    KEYS = "key_has_one_effect"
    """What the stored answer of an idempotency key promises is there, and made for this key alone."""
    COUPONS = "coupon_used_once"
    """As many coupons are issued as counted, never more than there are, each in time; a failed order holds none."""
    BALANCES = "balance_is_sum_of_entries"
    """A user's balance is what the entries say, and never negative."""
    ENTRIES = "entries_sum_to_zero"
    """Points are moved, never made: the entries of a transaction and kind cancel out, and so do all together."""
    PAYMENTS = "order_agrees_with_payment"
    """A PAID order is paid in full, a FAILED one not at all, and the entries say the same."""
    OUTBOX = "outbox_is_published"
    """No message waits for long, no order is without its first message, no processed id is half written."""
    SALES = "sales_are_counted_once"
    """The sales of a product are those of the PAID orders, each counted once."""


class Subject(StrEnum):
    """What the id of a breach is the id of."""

    ORDER = "order"
    PRODUCT = "product"
    USER = "user"
    TRANSACTION = "transaction"
    KEY = "key"
    COUPON = "coupon"
    ISSUE = "issue"
    MESSAGE = "message"


class Waiting(StrEnum):
    """What is under way, and therefore no breach yet."""

    PENDING = "orders_pending"
    UNCOMPENSATED = "orders_uncompensated"
    UNCOUNTED = "orders_uncounted"
    UNPUBLISHED = "messages_unpublished"
    UNISSUED = "issues_accepted"


Id: TypeAlias = int | bytes
"""A row's key as the table has it."""

_UUIDS = frozenset({Subject.ORDER, Subject.TRANSACTION, Subject.ISSUE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long something may be under way.

    Attributes:
        final: an order may be PENDING, and an issue ACCEPTED.
        compensated: a FAILED order may be without its compensation (R14).
        counted: a PAID order may be missing in the sales.
        published: a message may wait in the outbox.
        kept: a message surely stays in the outbox; less than its retention (R9).
    """

    final: timedelta = timedelta(minutes=5)
    compensated: timedelta = timedelta(seconds=60)
    counted: timedelta = timedelta(minutes=5)
    published: timedelta = timedelta(seconds=60)
    kept: timedelta = timedelta(hours=47)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A row that breaks an invariant, and what is wrong with it."""

    invariant: Invariant
    subject: Subject
    id: Id
    detail: str

    @property
    def shown_id(self) -> str:
        """The id as a person, a log or another table's column shows it."""
        if isinstance(self.id, int):
            return str(self.id)
        return str(UUID(bytes=self.id)) if self.subject in _UUIDS else self.id.hex()


Finding: TypeAlias = Breach | Waiting
"""What a check says of a row that isn't simply as it should be."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What one look found, bounded whatever it finds.

    Attributes:
        breaches: the first MOST_KEPT of each invariant.
        counts: all of them, by invariant.
        waiting: rows under way, by kind.
        looked_at: rows that were looked at, by table.
        known: what was counted, so that two checks that meet the same row don't count it twice.
        forgotten: whether a breach was counted and not kept that a look at changes wouldn't meet again by itself.
    """

    breaches: list[Breach] = field(default_factory=list)
    counts: Counter[Invariant] = field(default_factory=Counter)
    waiting: Counter[Waiting] = field(default_factory=Counter)
    looked_at: Counter[str] = field(default_factory=Counter)
    known: set[tuple[Invariant, Subject, Id]] = field(default_factory=set)
    forgotten: bool = False

    def add(self, findings: Iterable[Finding]) -> None:
        """Take what a check found."""
        for finding in findings:
            if isinstance(finding, Waiting):
                self.waiting[finding] += 1
                continue
            mark = finding.invariant, finding.subject, finding.id
            if mark in self.known:
                continue
            self.counts[finding.invariant] += 1
            if self.counts[finding.invariant] <= MOST_KEPT:
                self.known.add(mark)
                self.breaches.append(finding)
            elif finding.subject is not Subject.MESSAGE:
                # The outbox is read from its beginning in every look.
                self.forgotten = True

    def ids(self, *subjects: Subject) -> set[Any]:  # numbers or bytes, as the subject's table has them
        """Return the ids of what is broken among these subjects, to be looked at again."""
        return {breach.id for breach in self.breaches if breach.subject in subjects}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A look's result.

    Attributes:
        at: the moment of the snapshot, by the database's clock.
        seconds: how long the look took.
        full: whether everything was looked at, or only what had changed.
    """

    at: datetime
    seconds: float
    full: bool
    counts: Mapping[Invariant, int]
    breaches: Sequence[Breach]
    waiting: Mapping[Waiting, int]
    looked_at: Mapping[str, int]

    @property
    def clean(self) -> bool:
        """Whether nothing is broken."""
        return not any(self.counts.values())

    def shown(self, invariant: Invariant) -> Sequence[Breach]:
        """Return the breaches of an invariant that are named, MOST_SHOWN at most."""
        return [breach for breach in self.breaches if breach.invariant is invariant][:MOST_SHOWN]
