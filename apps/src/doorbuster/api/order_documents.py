"""Orders as documents: accepted, looked at, and in a stream."""

from collections.abc import Iterable

from doorbuster.api.order_schemas import OrderEventDocument
from doorbuster.api.schemas import OrderDocument, OrderLineDocument
from doorbuster.contracts.bodies import OrderLine
from doorbuster.orders.model import Order


def line_documents(lines: Iterable[OrderLine]) -> list[OrderLineDocument]:
    """Return an order's lines, each with the price that it was accepted at."""
    return [
        OrderLineDocument(product_id=line.product_id, quantity=line.quantity, unit_price=line.unit_price)
        for line in lines
    ]


def order_document(order: Order) -> OrderDocument:
    """Return the order as it is."""
    return OrderDocument(
        id=order.id,
        status=order.status.value,
        total=order.total,
        coupon_id=order.coupon_id,
        discount=order.discount,
        to_pay=order.to_pay,
        lines=line_documents(order.lines),
        created_at=order.created_at,
        failure_reason=order.failure_reason,
        finished_at=order.finished_at,
    )


def event_document(order: Order) -> OrderEventDocument:
    """Return the same for a stream, with what only a stream tells."""
    return OrderEventDocument(**dict(order_document(order)), compensated_at=order.compensated_at)
