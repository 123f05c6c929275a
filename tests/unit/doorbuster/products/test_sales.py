from uuid import UUID

import msgspec
import pytest

from doorbuster.contracts.bodies import OrderCancelled, OrderCompleted, OrderDataReady, OrderLine
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import OrderId
from doorbuster.products.sales import Sales, count

FIRST, SECOND = OrderId(UUID(int=1)), OrderId(UUID(int=2))


def completed(order_id: OrderId, *lines: tuple[int, int]) -> OrderCompleted:
    return OrderCompleted(
        order_id=order_id,
        user_id=7,
        lines=tuple(OrderLine(product_id=product, quantity=units, unit_price=5) for product, units in lines),
        total=5 * sum(units for _, units in lines),
    )


def test_units_and_orders_are_summed_by_product() -> None:
    bodies = [completed(FIRST, (1, 2), (2, 3)), completed(SECOND, (1, 4))]

    assert count({FIRST, SECOND}, bodies).sales == {1: Sales(units=6, orders=2), 2: Sales(units=3, orders=1)}


def test_an_order_with_a_product_in_two_lines_is_one_order_of_it() -> None:
    assert count({FIRST}, [completed(FIRST, (1, 2), (1, 3))]).sales == {1: Sales(units=5, orders=1)}


def test_a_counted_order_adds_nothing_and_its_data_is_ready_again() -> None:
    order = completed(FIRST, (1, 2))

    decision = count(frozenset(), [order])

    assert decision.sales == {}
    assert decision.events == (OrderDataReady(order_id=FIRST, user_id=7, lines=order.lines, total=10),)


def test_what_the_coupon_took_off_is_handed_on() -> None:
    order = msgspec.structs.replace(completed(FIRST, (1, 2)), discount=3)

    (ready,) = count({FIRST}, [order]).events

    assert ready == OrderDataReady(order_id=FIRST, user_id=7, lines=order.lines, total=10, discount=3)


def test_an_order_that_is_told_twice_in_a_batch_counts_once() -> None:
    order = completed(FIRST, (1, 2))

    decision = count({FIRST}, [order, order])

    assert decision.sales == {1: Sales(units=2, orders=1)}
    assert len(decision.events) == 1


def test_a_message_that_the_group_does_not_read_is_poison() -> None:
    with pytest.raises(UnknownMessage, match=r"order\.cancelled"):
        count({FIRST}, [OrderCancelled(order_id=FIRST, reason="deadline")])
