from uuid import UUID

import httpx
import pytest

from doorbuster.contracts.bodies import CouponNone, OrderLine, PaymentPaid, StockReserved
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.orders.model import Order, Saga, SagaStep, begin
from doorbuster.orders.saga import advance
from tests.unit.doorbuster.api.fakes import NOW, World, headers

ID = OrderId(UUID(int=70))
PATH = f"/api/v1/orders/{ID}/cancellation"
LINE = OrderLine(product_id=1, quantity=1, unit_price=100)
NEW = begin(Order(id=ID, user_id=UserId(1), lines=(LINE,), total=100, created_at=NOW))
PAYING = advance(NEW, [StockReserved(order_id=ID), CouponNone(order_id=ID)], NOW).after
PAID = advance(PAYING, [PaymentPaid(order_id=ID)], NOW).after


def document(status: str, reason: str | None) -> dict[str, str | None]:
    return {"id": str(UUID(int=1)), "order_id": str(ID), "status": status, "failure_reason": reason}


async def test_a_pending_order_is_given_up_at_once(client: httpx.AsyncClient, world: World) -> None:
    world.sagas[ID] = NEW

    response = await client.post(PATH, headers=headers())

    assert response.status_code == 200
    assert response.json() == document("FAILED", "cancelled-by-buyer")
    assert world.sagas[ID].step is SagaStep.COMPENSATING


async def test_while_the_payment_is_under_way_it_is_asked_to_stop(client: httpx.AsyncClient, world: World) -> None:
    world.sagas[ID] = PAYING

    response = await client.post(PATH, headers=headers())

    assert response.status_code == 202
    assert response.json() == document("PENDING", None)
    assert world.sagas[ID].step is SagaStep.STOPPING


async def test_a_paid_order_stays_paid(client: httpx.AsyncClient, world: World) -> None:
    world.sagas[ID] = PAID

    response = await client.post(PATH, headers=headers())

    assert (response.status_code, response.json()["code"]) == (409, "already-paid")


@pytest.mark.parametrize(("saga", "status"), [(NEW, 200), (PAYING, 202)])
async def test_a_second_cancel_is_told_the_same(
    client: httpx.AsyncClient, world: World, saga: Saga, status: int
) -> None:
    world.sagas[ID] = saga

    first = await client.post(PATH, headers=headers(key="one"))
    other = await client.post(PATH, headers=headers(key="two"))

    assert (first.status_code, other.status_code) == (status, status)
    assert first.json() | {"id": ""} == other.json() | {"id": ""}
    assert "idempotency-replayed" not in other.headers


async def test_a_repeat_gets_the_stored_answer(client: httpx.AsyncClient, world: World) -> None:
    world.sagas[ID] = PAYING
    first = await client.post(PATH, headers=headers())
    world.sagas[ID] = PAID

    again = await client.post(PATH, headers=headers())

    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotency-replayed"] == "true"


async def test_one_key_is_for_one_order(client: httpx.AsyncClient, world: World) -> None:
    world.sagas[ID] = NEW
    await client.post(PATH, headers=headers())

    response = await client.post(f"/api/v1/orders/{UUID(int=71)}/cancellation", headers=headers())

    assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(("user", "order_id"), [(2, ID), (1, UUID(int=71))])
async def test_what_is_not_ones_own_is_not_found_and_the_key_stays_free(
    client: httpx.AsyncClient, world: World, user: int, order_id: UUID
) -> None:
    world.sagas[ID] = NEW

    response = await client.post(f"/api/v1/orders/{order_id}/cancellation", headers=headers(user))

    assert (response.status_code, response.json()["code"]) == (404, "not-found")
    assert response.json()["instance"] == response.headers["x-trace-id"]
    assert (world.cancel_order.stored, world.sagas[ID]) == ({}, NEW)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"{}", 200, None), (b'{"reason": "x"}', 422, "invalid-request"), (b"{", 400, "malformed-json")],
)
async def test_a_body_is_not_needed_and_an_unknown_field_is_refused(
    client: httpx.AsyncClient, world: World, content: bytes, status: int, code: str | None
) -> None:
    world.sagas[ID] = NEW

    response = await client.post(PATH, content=content, headers=headers() | {"Content-Type": "application/json"})

    assert (response.status_code, response.json().get("code")) == (status, code)


async def test_a_cancel_wants_a_key(client: httpx.AsyncClient, world: World) -> None:
    response = await client.post(PATH, headers=headers(key=None))

    assert (response.status_code, response.json()["code"]) == (400, "idempotency-key-missing")
    assert world.untouched()
