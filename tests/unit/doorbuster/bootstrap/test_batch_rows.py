from uuid import UUID

import pytest

from doorbuster.bootstrap.batch_rows import (
    rows_of_cancel,
    rows_of_cart_change,
    rows_of_charge,
    rows_of_checkout,
    rows_of_messages,
    rows_of_order,
)
from doorbuster.carts.model import MOST_LINES, CheckOut, RemoveLine
from doorbuster.contracts.bodies import Body, OrderCancelled, OrderCompleted, OrderCreated, OrderLine, StockReserved
from doorbuster.contracts.topics import Group
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.infra.batches.message_batches import MOST_ROWS
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.orders.cancelling import CancelOrder
from doorbuster.orders.model import PlaceOrder, WantedLine
from doorbuster.points.model import ChargePoints

ID = UUID(int=1)
LINES = tuple(OrderLine(product_id=number, quantity=1, unit_price=1) for number in range(7))
CREATED = OrderCreated(order_id=ID, user_id=1, lines=LINES, total=7)
COMPLETED = OrderCompleted(order_id=ID, user_id=1, lines=LINES, total=7)
CANCELLED = OrderCancelled(order_id=ID, reason="x")


@pytest.mark.parametrize(
    ("group", "body", "rows"),
    [
        (Group.STOCK, CREATED, 2 + 7),
        (Group.STOCK, CANCELLED, 2),
        (Group.COUPON, CREATED, 3),
        (Group.ORDER_FLOW, StockReserved(order_id=ID), 3),
        (Group.PAYMENT, CANCELLED, 5),
        (Group.POST_PROCESS, COMPLETED, 2 + 7),
    ],
)
def test_lines_count_where_they_are_written(group: Group, body: Body, rows: int) -> None:
    assert rows_of_messages(group)(body) == rows


def test_every_group_knows_its_rows() -> None:
    assert all(0 < rows_of_messages(group)(CANCELLED) < 10 for group in Group)


def test_five_hundred_orders_of_one_line_are_one_transaction_in_the_saga() -> None:
    one_line = OrderCreated(order_id=ID, user_id=1, lines=LINES[:1], total=1)

    for group in (Group.STOCK, Group.COUPON, Group.ORDER_FLOW):
        assert 500 * (1 + rows_of_messages(group)(one_line)) <= MOST_ROWS


def test_a_commands_lines_count_too() -> None:
    lines = tuple(WantedLine(product_id=ProductId(number), quantity=1) for number in range(5))
    order = PlaceOrder(order_id=OrderId(ID), user_id=UserId(1), lines=lines)
    charge = ChargePoints(transaction_id=ID, user_id=UserId(1), amount=1)

    assert rows_of_order(Keyed(key_id=b"", body_hash=b"", body_bytes=0, attempt=ID, command=order)) == 4 + 5
    assert rows_of_charge(Keyed(key_id=b"", body_hash=b"", body_bytes=0, attempt=ID, command=charge)) == 4


def test_a_checkout_counts_as_an_order_of_a_full_cart_and_the_cart() -> None:
    lines = tuple(WantedLine(product_id=ProductId(number), quantity=1) for number in range(MOST_LINES))
    order = PlaceOrder(order_id=OrderId(ID), user_id=UserId(1), lines=lines)
    checkout = CheckOut(order_id=OrderId(ID), user_id=UserId(1))

    assert rows_of_checkout(Keyed(key_id=b"", body_hash=b"", body_bytes=0, attempt=ID, command=checkout)) == (
        1 + rows_of_order(Keyed(key_id=b"", body_hash=b"", body_bytes=0, attempt=ID, command=order))
    )


def test_what_changes_one_row_or_an_order_is_counted_so() -> None:
    cancel = CancelOrder(cancellation_id=ID, order_id=OrderId(ID), user_id=UserId(1))

    assert rows_of_cart_change(RemoveLine(user_id=UserId(1), product_id=ProductId(1))) == 2
    assert rows_of_cancel(Keyed(key_id=b"", body_hash=b"", body_bytes=0, attempt=ID, command=cancel)) == 4
