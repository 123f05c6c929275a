from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from uuid import UUID

from doorbuster.contracts.bodies import Body, OrderCancelled, OrderCreated, OrderLine
from doorbuster.kernel.ids import OrderId, ProductId
from doorbuster.products.model import Reservation, ReservationStatus, StockDecision, StockState
from doorbuster.products.service import StockService
from doorbuster.products.sold_out import StockLevels, levels

NOW = datetime(2026, 11, 26, tzinfo=UTC)
A, B, C = (ProductId(number) for number in (1, 2, 3))


def stock_levels(sold_out: Collection[ProductId] = (), back: Collection[ProductId] = ()) -> StockLevels:
    return StockLevels(sold_out=frozenset(sold_out), back=frozenset(back))


def test_what_has_no_units_after_the_batch_is_sold_out_whether_it_had_some_or_not() -> None:
    assert levels({A: 3, B: 0, C: 5}, {A: 0, C: 4}) == stock_levels(sold_out=[A, B])


def test_what_had_none_and_has_some_is_back() -> None:
    assert levels({A: 0, B: 1}, {A: 2, B: 3}) == stock_levels(back=[A])


def test_a_batch_that_looked_at_nothing_says_nothing() -> None:
    assert levels({}, {}) == stock_levels()


class Stock:
    """Reservations and units in memory."""

    def __init__(self, units: Mapping[ProductId, int]) -> None:
        self.units = dict(units)
        self.reservations: dict[OrderId, Reservation] = {}

    async def claim(self, order_ids: Collection[OrderId], now: datetime) -> Mapping[OrderId, Reservation]:
        for order_id in order_ids:
            new = Reservation(order_id=order_id, status=ReservationStatus.NEW, updated_at=now)
            self.reservations.setdefault(order_id, new)
        return {order_id: self.reservations[order_id] for order_id in order_ids}

    async def lock_stock(self, product_ids: Collection[ProductId]) -> Mapping[ProductId, int]:
        return {key: self.units[key] for key in product_ids if key in self.units}

    async def save(self, before: StockState, decision: StockDecision) -> None:
        del before
        self.units |= decision.available
        self.reservations |= {row.order_id: row for row in decision.reservations}


def order(number: int, *, units: int) -> OrderCreated:
    lines = (OrderLine(product_id=A, quantity=units, unit_price=5),)
    return OrderCreated(order_id=UUID(int=number), user_id=1, lines=lines, total=5 * units)


def cancel(number: int) -> OrderCancelled:
    return OrderCancelled(order_id=UUID(int=number), reason="deadline")


async def test_the_stock_group_tells_what_each_batch_came_to() -> None:
    seen: list[StockLevels] = []
    service, stock = StockService(seen.append), Stock({A: 2})
    batches: list[list[Body]] = [
        [order(1, units=1)],
        [order(2, units=1)],
        # Rejected: it is still sold out.
        [order(3, units=1)],
        [cancel(2)],
        # What a repeat finds decided says nothing.
        [order(3, units=1), cancel(2)],
        # Out and back in one batch.
        [order(4, units=1), cancel(4)],
    ]
    for batch in batches:
        await service.handle(stock, batch, NOW)

    assert seen == [
        stock_levels(),
        stock_levels(sold_out=[A]),
        stock_levels(sold_out=[A]),
        stock_levels(back=[A]),
        stock_levels(),
        stock_levels(),
    ]
