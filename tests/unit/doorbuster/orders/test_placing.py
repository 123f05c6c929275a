from datetime import UTC, datetime
from uuid import UUID

import pytest

from doorbuster.contracts.bodies import OrderCreated, OrderLine
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.model import (
    GREATEST_TOTAL,
    Known,
    Order,
    OrderStatus,
    PlaceOrder,
    Priced,
    Saga,
    SagaStep,
    WantedLine,
    begin,
    place,
)
from doorbuster.products.model import Product

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def product(number: int, price: int) -> Product:
    return Product(id=ProductId(number), name="a thing", price=price, version=1)


CATALOGUE: dict[ProductId, Priced] = {ProductId(n): product(n, 100 * n) for n in range(1, 102)}


def wanted(*lines: tuple[int, int], coupon_id: int | None = None) -> PlaceOrder:
    return PlaceOrder(
        order_id=OrderId(UUID(int=1)),
        user_id=UserId(3),
        lines=tuple(WantedLine(product_id=ProductId(number), quantity=units) for number, units in lines),
        coupon_id=coupon_id,
    )


def placed(command: PlaceOrder, catalogue: dict[ProductId, Priced] | None = None) -> Order | Refusal:
    (outcome,) = place(CATALOGUE if catalogue is None else catalogue, [command], NOW)
    return outcome


def test_order_is_accepted_at_the_prices_of_the_catalogue() -> None:
    assert placed(wanted((2, 3), (1, 1), coupon_id=7)) == Order(
        id=OrderId(UUID(int=1)),
        user_id=UserId(3),
        lines=(
            OrderLine(product_id=2, quantity=3, unit_price=200),
            OrderLine(product_id=1, quantity=1, unit_price=100),
        ),
        total=700,
        created_at=NOW,
        coupon_id=7,
        status=OrderStatus.PENDING,
    )


def test_accepted_order_begins_its_saga_with_order_created() -> None:
    order = placed(wanted((2, 3), coupon_id=7))
    assert isinstance(order, Order)

    assert begin(order) == Saga(
        order=order,
        step=SagaStep.RESERVING,
        sent_at=NOW,
        stock=Known.NOTHING,
        coupon=Known.NOTHING,
        payment=Known.NOTHING,
        cancel_reason=None,
        redrives=0,
    )
    assert order.created() == OrderCreated(order_id=order.id, user_id=3, lines=order.lines, total=600, coupon_id=7)


def test_each_command_has_its_outcome_in_order() -> None:
    outcomes = place(CATALOGUE, [wanted((1, 1)), wanted((1, 0)), wanted((2, 1))], NOW)

    assert [outcome.total if isinstance(outcome, Order) else outcome.code for outcome in outcomes] == [
        100, "bad-quantity", 200,
    ]  # fmt: skip


@pytest.mark.parametrize("units", [-1, 0, 1_001])
def test_quantity_out_of_bounds_is_refused_by_its_place(units: int) -> None:
    assert placed(wanted((1, 1), (2, units))) == Refusal(
        code="bad-quantity", field="lines[1].quantity", detail="A line has 1 to 1000 units."
    )


@pytest.mark.parametrize("units", [1, 1_000])
def test_quantity_at_a_bound_is_accepted(units: int) -> None:
    assert isinstance(placed(wanted((1, units))), Order)


@pytest.mark.parametrize("count", [0, 101])
def test_too_few_or_too_many_lines_are_refused(count: int) -> None:
    assert placed(wanted(*((n + 1, 1) for n in range(count)))) == Refusal(
        code="bad-lines", field="lines", detail="An order has 1 to 100 lines."
    )


def test_hundred_lines_are_accepted() -> None:
    assert isinstance(placed(wanted(*((n, 1) for n in range(1, 101)))), Order)


def test_product_that_the_catalogue_lacks_is_refused_by_its_place() -> None:
    assert placed(wanted((1, 1), (999, 1))) == Refusal(
        code="unknown-product", field="lines[1].product_id", detail="There is no product 999."
    )


def test_second_line_of_a_product_is_refused() -> None:
    assert placed(wanted((1, 1), (2, 1), (1, 1))) == Refusal(
        code="duplicate-product", field="lines[2].product_id", detail="The product stands in an earlier line too."
    )


def test_total_that_readers_would_round_is_refused() -> None:
    catalogue: dict[ProductId, Priced] = {ProductId(1): product(1, GREATEST_TOTAL), ProductId(2): product(2, 1)}

    assert isinstance(placed(wanted((1, 1)), catalogue), Order)
    assert placed(wanted((1, 1), (2, 1)), catalogue) == Refusal(
        code="total-too-large", field="lines", detail="The order's total is over 9007199254740992."
    )
