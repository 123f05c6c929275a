"""The count of sales: each completed order once, however often it is told (R11)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from doorbuster.contracts.bodies import Body, OrderCompleted, OrderDataReady
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import OrderId, ProductId


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """What is added to a product's count: units, and the orders that they are from."""

    units: int
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesDecision:
    """What a batch counts.

    Attributes:
        sales: what is added, by product.
        events: one for each order of the batch; a repeated order's is sent again, its reader knows it by the order.
    """

    sales: Mapping[ProductId, Sales]
    events: tuple[Body, ...]


def count(uncounted: Collection[OrderId], bodies: Sequence[Body]) -> SalesDecision:
    """Return what the orders among `uncounted` add, and that the data of all of them is ready.

    Raises:
        UnknownMessage: a body that the post-process group doesn't read.
    """
    completed = {OrderId(body.order_id): _completed(body) for body in bodies}
    sales: dict[ProductId, Sales] = {}
    for order_id, order in completed.items():
        if order_id in uncounted:
            _add(sales, order)
    events = tuple(
        OrderDataReady(
            order_id=order.order_id,
            user_id=order.user_id,
            lines=order.lines,
            total=order.total,
            discount=order.discount,
        )
        for order in completed.values()
    )
    return SalesDecision(sales=sales, events=events)


def _completed(body: Body) -> OrderCompleted:
    if not isinstance(body, OrderCompleted):
        raise UnknownMessage(f"the post-process group doesn't read {body.type}")
    return body


def _add(sales: dict[ProductId, Sales], order: OrderCompleted) -> None:
    units: dict[ProductId, int] = {}
    for line in order.lines:
        product_id = ProductId(line.product_id)
        units[product_id] = units.get(product_id, 0) + line.quantity
    for product_id, count_of_units in units.items():
        known = sales.get(product_id, Sales(units=0, orders=0))
        sales[product_id] = Sales(units=known.units + count_of_units, orders=known.orders + 1)
