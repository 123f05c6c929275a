"""Products, and the stock group's decisions: one reservation an order, all lines or none (R14)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from doorbuster.contracts.bodies import (
    Body,
    OrderCancelled,
    OrderCreated,
    OrderLine,
    PaymentCancelRequested,
    StockCancelled,
    StockRejected,
    StockReleased,
    StockReserved,
)
from doorbuster.kernel.errors import DecisionFailed, UnknownMessage
from doorbuster.kernel.ids import OrderId, ProductId


class ImpossibleLines(DecisionFailed):
    """An order without lines, or with a line of no or negative units: no API of ours accepts it."""


class ReservationStatus(StrEnum):
    """Where the stock group stands with an order."""

    NEW = "NEW"
    """A placeholder: nothing is decided."""
    RESERVED = "RESERVED"
    REJECTED = "REJECTED"
    RELEASED = "RELEASED"
    """Was reserved; its units are back."""
    CANCELLED = "CANCELLED"
    """The tombstone of a cancel that came before its order: nothing will be reserved."""


class StockRefusal(StrEnum):
    """Why nothing is reserved for an order."""

    OUT_OF_STOCK = "out-of-stock"
    UNKNOWN_PRODUCT = "unknown-product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """An entry of the catalogue; `price` in points, `version` grows with each change."""

    id: ProductId
    name: str
    price: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The stock group's one row of an order.

    Attributes:
        lines: what is or was reserved, kept so that a release needs nothing else; None unless RESERVED or RELEASED.
        reason: why nothing was reserved; None unless REJECTED, as is `product_id`.
        product_id: the product that was missing.
    """

    order_id: OrderId
    status: ReservationStatus
    updated_at: datetime
    lines: tuple[OrderLine, ...] | None = None
    reason: StockRefusal | None = None
    product_id: ProductId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockState:
    """What a batch needs of the database, locked.

    Attributes:
        reservations: of every order in the batch; placeholders are NEW.
        available: units by product, of every product in `products_needed`; a product without stock is absent.
    """

    reservations: Mapping[OrderId, Reservation]
    available: Mapping[ProductId, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDecision:
    """What a batch changes.

    Attributes:
        reservations: the rows that changed, with their new values, each order once.
        available: the new units of the products whose units changed, each once; never negative.
        events: in the order of the bodies that they answer.
    """

    reservations: tuple[Reservation, ...]
    available: Mapping[ProductId, int]
    events: tuple[Body, ...]


def products_needed(reservations: Mapping[OrderId, Reservation], bodies: Iterable[Body]) -> tuple[ProductId, ...]:
    """Return the products whose stock the bodies may change, ascending as they are locked (R8)."""
    products: set[ProductId] = set()
    for body in bodies:
        reservation = reservations[OrderId(body.order_id)]
        if isinstance(body, OrderCreated) and reservation.status is ReservationStatus.NEW:
            products.update(ProductId(line.product_id) for line in body.lines)
        # A cancel releases what is reserved already, or by an order earlier in this batch, which is counted above.
        if isinstance(body, OrderCancelled) and reservation.lines and reservation.status is ReservationStatus.RESERVED:
            products.update(ProductId(line.product_id) for line in reservation.lines)
    return tuple(sorted(products))


def decide(state: StockState, bodies: Sequence[Body], now: datetime) -> StockDecision:
    """Return what the bodies change and the answers to them, first come, first served.

    Raises:
        ImpossibleLines: an order has no lines, or a line has no units.
        UnknownMessage: a body that the stock group doesn't read.
    """
    ledger = _Ledger(state, now)
    for body in bodies:
        ledger.take(body)
    return ledger.decision()


class _Ledger:
    """The state as the batch goes on: what an earlier body took is gone for a later one."""

    def __init__(self, state: StockState, now: datetime) -> None:
        self._before = state
        self._now = now
        self._reservations = dict(state.reservations)
        self._available = dict(state.available)
        self._events: list[Body] = []

    def take(self, body: Body) -> None:
        order_id = OrderId(body.order_id)
        reservation = self._reservations[order_id]
        match body:
            case OrderCreated():
                reservation = self._created(reservation, body)
                self._events.append(_answer_to_order(reservation))
            case OrderCancelled():
                reservation = self._cancelled(reservation)
                self._events.append(StockReleased(order_id=order_id))
            case PaymentCancelRequested():
                return
            case _:
                raise UnknownMessage(f"the stock group doesn't read {body.type}")
        self._reservations[order_id] = reservation

    def decision(self) -> StockDecision:
        before = self._before
        return StockDecision(
            reservations=tuple(row for key, row in self._reservations.items() if row != before.reservations[key]),
            available={key: units for key, units in self._available.items() if units != before.available[key]},
            events=tuple(self._events),
        )

    def _created(self, reservation: Reservation, order: OrderCreated) -> Reservation:
        if reservation.status is not ReservationStatus.NEW:
            return reservation
        wanted = _units(order.lines)
        missing = self._missing(wanted)
        if missing is not None:
            reason, product_id = missing
            return replace(
                reservation,
                status=ReservationStatus.REJECTED,
                reason=reason,
                product_id=product_id,
                updated_at=self._now,
            )
        self._add(wanted, sign=-1)
        return replace(reservation, status=ReservationStatus.RESERVED, lines=order.lines, updated_at=self._now)

    def _cancelled(self, reservation: Reservation) -> Reservation:
        if reservation.status is ReservationStatus.NEW:
            return replace(reservation, status=ReservationStatus.CANCELLED, updated_at=self._now)
        if reservation.status is not ReservationStatus.RESERVED:
            return reservation
        self._add(_units(reservation.lines or ()), sign=1)
        return replace(reservation, status=ReservationStatus.RELEASED, updated_at=self._now)

    def _missing(self, wanted: Mapping[ProductId, int]) -> tuple[StockRefusal, ProductId] | None:
        for product_id, units in wanted.items():
            if product_id not in self._available:
                return StockRefusal.UNKNOWN_PRODUCT, product_id
            if self._available[product_id] < units:
                return StockRefusal.OUT_OF_STOCK, product_id
        return None

    def _add(self, units: Mapping[ProductId, int], *, sign: int) -> None:
        for product_id, count in units.items():
            self._available[product_id] += sign * count


def _units(lines: Sequence[OrderLine]) -> Mapping[ProductId, int]:
    """Sum the lines by product: two lines of one product must not both see the same units."""
    if not lines or any(line.quantity <= 0 for line in lines):
        raise ImpossibleLines("an order needs lines, and each line units")
    units: Counter[ProductId] = Counter()
    for line in lines:
        units[ProductId(line.product_id)] += line.quantity
    return units


def _answer_to_order(reservation: Reservation) -> Body:
    order_id = reservation.order_id
    match reservation.status:
        case ReservationStatus.RESERVED:
            return StockReserved(order_id=order_id)
        case ReservationStatus.REJECTED:
            return StockRejected(
                order_id=order_id, reason=reservation.reason or "", product_id=reservation.product_id or 0
            )
        case ReservationStatus.RELEASED:
            return StockReleased(order_id=order_id)
        case _:
            return StockCancelled(order_id=order_id)
