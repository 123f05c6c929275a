from dataclasses import replace
from uuid import UUID

import httpx
import pytest
from prometheus_client import REGISTRY

from doorbuster.api.answers import order_answer, sold_out_answer
from doorbuster.contracts.bodies import OrderLine
from doorbuster.kernel.errors import BrokerUnavailable, NotAccepted, OutcomeUnknown, Overloaded, PrimaryUnavailable
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.model import Order, OrderStatus
from tests.unit.doorbuster.api.fakes import NOW, World, headers

ORDERS = "/api/v1/orders"
BODY = {"lines": [{"product_id": 1, "quantity": 2}, {"product_id": 3, "quantity": 1}]}


def accepted() -> float:
    return REGISTRY.get_sample_value("orders_accepted_total") or 0.0


def refused(code: str) -> float:
    return REGISTRY.get_sample_value("business_refusals_total", {"code": code}) or 0.0


def order(number: int, user: int = 1) -> Order:
    line = OrderLine(product_id=1, quantity=1, unit_price=100)
    return Order(id=OrderId(UUID(int=number)), user_id=UserId(user), lines=(line,), total=100, created_at=NOW)


async def test_an_order_is_accepted_with_its_id_and_location(client: httpx.AsyncClient) -> None:
    before = accepted()

    response = await client.post(ORDERS, json=BODY, headers=headers())

    assert response.status_code == 202
    document = response.json()
    assert document == {
        "id": str(UUID(int=1)),
        "status": "PENDING",
        "total": 500,
        "coupon_id": None,
        "lines": [
            {"product_id": 1, "quantity": 2, "unit_price": 100},
            {"product_id": 3, "quantity": 1, "unit_price": 300},
        ],
        "created_at": "2026-11-25T20:00:00Z",
    }
    assert response.headers["location"] == f"{ORDERS}/{document['id']}"
    assert "idempotency-replayed" not in response.headers
    assert accepted() == before + 1


async def test_a_commands_size_is_that_of_its_checked_body(client: httpx.AsyncClient, world: World) -> None:
    await client.post(ORDERS, json=BODY, headers=headers())

    (keyed,) = world.place_order.received
    assert keyed.body_bytes == len('{"lines":[{"product_id":1,"quantity":2},{"product_id":3,"quantity":1}]}')


async def test_a_repeat_gets_the_same_bytes_and_is_marked(client: httpx.AsyncClient) -> None:
    first = await client.post(ORDERS, json=BODY, headers=headers())
    before = accepted()

    # The same values, written another way.
    again = await client.post(
        ORDERS,
        content=b'{ "lines": [{"quantity": 2, "product_id": 1}, {"quantity":1, "product_id":3}] }',
        headers=headers() | {"Content-Type": "application/json; charset=utf-8"},
    )

    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert accepted() == before


async def test_a_key_with_another_body_is_a_422(client: httpx.AsyncClient) -> None:
    await client.post(ORDERS, json=BODY, headers=headers())

    response = await client.post(ORDERS, json={"lines": [{"product_id": 2, "quantity": 1}]}, headers=headers())

    assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-reused")


async def test_a_key_belongs_to_its_user_and_route(client: httpx.AsyncClient, world: World) -> None:
    await client.post(ORDERS, json=BODY, headers=headers(1))
    await client.post(ORDERS, json=BODY, headers=headers(2))
    await client.post("/api/v1/points/charges", json={"amount": 1}, headers=headers(1))

    keys = {keyed.key_id for keyed in world.place_order.received} | {
        keyed.key_id for keyed in world.charge_points.received
    }
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}


async def test_a_key_in_flight_is_a_409(client: httpx.AsyncClient, world: World) -> None:
    world.place_order.in_flight = True

    response = await client.post(ORDERS, json=BODY, headers=headers())

    assert (response.status_code, response.json()["code"]) == (409, "in-flight")
    assert response.headers["retry-after"] == "1"


async def test_a_business_refusal_is_stored_and_counted_once(client: httpx.AsyncClient, world: World) -> None:
    world.place_order.decide = lambda command: order_answer(command, Refusal(code="sold-out", detail="It is sold out."))
    before = refused("sold-out")

    first = await client.post(ORDERS, json=BODY, headers=headers())
    again = await client.post(ORDERS, json=BODY, headers=headers())

    assert (first.status_code, first.json()["code"]) == (409, "sold-out")
    assert first.headers["content-type"] == "application/problem+json"
    assert "idempotency-replayed" not in first.headers
    assert (again.status_code, again.content) == (409, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert refused("sold-out") == before + 1


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (NotAccepted("lock"), 503, "not-accepted"),
        (PrimaryUnavailable("gone"), 503, "not-accepted"),
        (Overloaded("full"), 503, "overloaded"),
        (BrokerUnavailable("gone"), 503, "broker-unavailable"),
        (OutcomeUnknown("commit"), 504, "outcome-unknown"),
    ],
)
async def test_what_was_not_done_says_so_and_when_to_come_back(
    client: httpx.AsyncClient, world: World, failure: Exception, status: int, code: str
) -> None:
    world.place_order.failure = failure

    response = await client.post(ORDERS, json=BODY, headers=headers())

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert int(response.headers["retry-after"]) in range(1, 4)


async def test_an_own_order_is_shown(client: httpx.AsyncClient, world: World) -> None:
    failed = replace(order(7), status=OrderStatus.FAILED, failure_reason="out-of-stock", finished_at=NOW)
    world.orders.orders = [failed]

    response = await client.get(f"{ORDERS}/{failed.id}", headers=headers())

    assert response.status_code == 200
    assert response.json() == {
        "id": str(failed.id),
        "status": "FAILED",
        "total": 100,
        "coupon_id": None,
        "discount": 0,
        "to_pay": 100,
        "lines": [{"product_id": 1, "quantity": 1, "unit_price": 100}],
        "created_at": "2026-11-25T20:00:00Z",
        "failure_reason": "out-of-stock",
        "finished_at": "2026-11-25T20:00:00Z",
    }


async def test_a_buyer_sees_total_discount_and_what_was_paid(client: httpx.AsyncClient, world: World) -> None:
    paid = replace(order(7), coupon_id=3, discount=30, status=OrderStatus.PAID, finished_at=NOW)
    world.orders.orders = [paid]

    document = (await client.get(f"{ORDERS}/{paid.id}", headers=headers())).json()

    assert {name: document[name] for name in ("total", "coupon_id", "discount", "to_pay")} == {
        "total": 100,
        "coupon_id": 3,
        "discount": 30,
        "to_pay": 70,
    }


async def test_an_order_may_name_a_coupon(client: httpx.AsyncClient, world: World) -> None:
    response = await client.post(ORDERS, json={**BODY, "coupon_id": 3}, headers=headers())

    (keyed,) = world.place_order.received
    assert (response.status_code, response.json()["coupon_id"], keyed.command.coupon_id) == (202, 3, 3)


async def test_no_coupon_is_the_same_body_as_a_null_one(client: httpx.AsyncClient, world: World) -> None:
    for body in (BODY, {**BODY, "coupon_id": None}):
        await client.post(ORDERS, json=body, headers=headers())

    assert len({keyed.body_hash for keyed in world.place_order.received}) == 1


@pytest.mark.parametrize("coupon_id", [0, -1, 2**53 + 1, "3", 1.5, True])
async def test_a_coupon_that_is_no_id_is_refused(client: httpx.AsyncClient, world: World, coupon_id: object) -> None:
    response = await client.post(ORDERS, json={**BODY, "coupon_id": coupon_id}, headers=headers())

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["coupon_id"]
    assert world.place_order.received == []


@pytest.mark.parametrize("number", [7, 8])
async def test_another_buyers_order_is_as_unknown_as_none(client: httpx.AsyncClient, world: World, number: int) -> None:
    world.orders.orders = [order(7, user=2)]

    response = await client.get(f"{ORDERS}/{UUID(int=number)}", headers=headers(1))

    assert (response.status_code, response.json()["code"]) == (404, "not-found")
    assert response.json()["detail"] == "You have no such order."


async def test_own_orders_come_newest_first_page_by_page(client: httpx.AsyncClient, world: World) -> None:
    world.orders.orders = [order(number) for number in range(1, 6)] + [order(9, user=2)]

    first = (await client.get(f"{ORDERS}?limit=3", headers=headers())).json()
    second = (await client.get(f"{ORDERS}?limit=3&cursor={first['next_cursor']}", headers=headers())).json()

    assert [UUID(each["id"]).int for each in first["orders"]] == [5, 4, 3]
    assert [UUID(each["id"]).int for each in second["orders"]] == [2, 1]
    assert second["next_cursor"] is None


async def test_a_page_of_the_greatest_size_leads_to_the_next(client: httpx.AsyncClient, world: World) -> None:
    world.orders.orders = [order(number) for number in range(1, 102)]

    first = (await client.get(f"{ORDERS}?limit=100", headers=headers())).json()
    second = (await client.get(f"{ORDERS}?limit=100&cursor={first['next_cursor']}", headers=headers())).json()

    assert (len(first["orders"]), len(second["orders"])) == (100, 1)


async def test_a_read_without_a_primary_is_a_503(client: httpx.AsyncClient, world: World) -> None:
    world.orders.failure = PrimaryUnavailable("gone")

    response = await client.get(f"{ORDERS}/{UUID(int=1)}", headers=headers())

    assert response.status_code == 503
    assert "retry-after" in response.headers


async def test_what_is_sold_out_is_a_409_that_names_the_line_and_is_not_stored(
    world: World, client: httpx.AsyncClient
) -> None:
    refusal = Refusal(code="sold-out", field="lines[0].product_id", detail="Product 1 is sold out.")
    world.place_order.decide = lambda _: sold_out_answer(refusal)
    before = refused("sold-out")

    response = await client.post(ORDERS, json=BODY, headers=headers())

    told = response.json()
    assert (response.status_code, response.headers["content-type"]) == (409, "application/problem+json")
    assert (told["code"], told["detail"]) == ("sold-out", "Product 1 is sold out.")
    assert told["errors"] == [{"field": "lines[0].product_id", "message": "is sold out"}]
    assert told["instance"] == response.headers["x-trace-id"]
    assert world.place_order.stored == {}
    assert refused("sold-out") == before + 1
