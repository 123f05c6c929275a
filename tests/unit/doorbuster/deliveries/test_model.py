from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from doorbuster.contracts.bodies import CouponNone, OrderDataReady, OrderLine
from doorbuster.deliveries.model import LONGEST_ERROR, Delivery, DeliveryPolicy, DeliveryStatus, due, settle
from doorbuster.kernel.errors import UnknownMessage
from doorbuster.kernel.ids import OrderId

NOW = datetime(2026, 1, 2, tzinfo=UTC)
POLICY = DeliveryPolicy(attempts=3, first_pause=timedelta(seconds=1), longest_pause=timedelta(seconds=3))
CLAIMED = Delivery(
    order_id=OrderId(UUID(int=1)), status=DeliveryStatus.DUE, payload={}, attempts=1, due_at=NOW + POLICY.lease
)


def ready(number: int) -> OrderDataReady:
    lines = (OrderLine(product_id=5, quantity=2, unit_price=300),)
    return OrderDataReady(order_id=UUID(int=number), user_id=7, lines=lines, total=600, discount=60)


def test_each_order_whose_data_is_ready_becomes_one_due_delivery() -> None:
    rows = due([ready(2), ready(1), ready(2)], NOW)

    assert [(row.order_id.int, row.status, row.attempts, row.due_at) for row in rows] == [
        (1, DeliveryStatus.DUE, 0, NOW),
        (2, DeliveryStatus.DUE, 0, NOW),
    ]
    assert rows[0].payload == {
        "order_id": str(UUID(int=1)),
        "user_id": 7,
        "total": 600,
        "discount": 60,
        "lines": [{"product_id": 5, "quantity": 2, "unit_price": 300}],
    }


def test_a_message_that_is_not_for_the_group_is_poison_and_not_passed_over() -> None:
    with pytest.raises(UnknownMessage):
        due([ready(1), CouponNone(order_id=UUID(int=3))], NOW)


def test_what_the_partner_has_is_delivered() -> None:
    assert settle(CLAIMED, None, NOW, POLICY) == replace(CLAIMED, status=DeliveryStatus.DELIVERED, delivered_at=NOW)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 2)])
def test_a_failed_attempt_is_repeated_after_a_growing_pause(attempts: int, seconds: int) -> None:
    settled = settle(replace(CLAIMED, attempts=attempts), "HTTP 500", NOW, POLICY)

    assert settled.status is DeliveryStatus.DUE
    assert settled.due_at == NOW + timedelta(seconds=seconds)
    assert settled.last_error == "HTTP 500"


def test_a_pause_has_an_upper_end() -> None:
    patient = replace(POLICY, attempts=50)

    assert settle(replace(CLAIMED, attempts=40), "HTTP 500", NOW, patient).due_at == NOW + timedelta(seconds=3)


def test_too_many_failures_park_it_with_the_last_error() -> None:
    settled = settle(replace(CLAIMED, attempts=3), "x" * 500, NOW, POLICY)

    assert settled.status is DeliveryStatus.PARKED
    assert settled.last_error == "x" * LONGEST_ERROR
