from uuid import UUID

import httpx
import pytest
from prometheus_client import REGISTRY

from doorbuster.carts.model import MOST_LINES, Cart, CartLine, CheckOut
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown, Overloaded
from doorbuster.kernel.ids import ProductId, UserId
from tests.unit.doorbuster.api.fakes import World, headers

CART = "/api/v1/cart"
LINES = f"{CART}/lines"
CHECKOUT = f"{CART}/checkout"
JSON = {"Content-Type": "application/json"}
NO_KEY = headers(key=None)


def fill(world: World, *products: int, user: int = 1) -> None:
    lines = tuple(CartLine(product_id=ProductId(product), quantity=1) for product in products)
    world.carts.carts[UserId(user)] = Cart(user_id=UserId(user), lines=lines)


def refused(code: str) -> float:
    return REGISTRY.get_sample_value("business_refusals_total", {"code": code}) or 0.0


async def test_a_cart_begins_empty(client: httpx.AsyncClient) -> None:
    response = await client.get(CART, headers=NO_KEY)

    assert (response.status_code, response.json()) == (200, {"lines": [], "updated_at": None})


async def test_a_line_is_put_changed_and_removed_without_a_key(client: httpx.AsyncClient) -> None:
    await client.put(f"{LINES}/3", json={"quantity": 2}, headers=NO_KEY)
    changed = await client.put(f"{LINES}/3", json={"quantity": 5}, headers=NO_KEY)
    shown = await client.get(CART, headers=NO_KEY)
    removed = await client.delete(f"{LINES}/3", headers=NO_KEY)

    assert (
        changed.json()
        == shown.json()
        == {
            "lines": [{"product_id": 3, "quantity": 5}],
            "updated_at": "2026-11-25T20:00:00Z",
        }
    )
    assert (removed.status_code, removed.json()["lines"]) == (200, [])


async def test_carts_are_each_users_own(client: httpx.AsyncClient) -> None:
    await client.put(f"{LINES}/3", json={"quantity": 2}, headers=headers(1, key=None))

    assert (await client.get(CART, headers=headers(2, key=None))).json()["lines"] == []


async def test_a_product_that_does_not_exist_is_not_found(client: httpx.AsyncClient) -> None:
    response = await client.put(f"{LINES}/99", json={"quantity": 2}, headers=NO_KEY)

    assert (response.status_code, response.json()["code"]) == (404, "not-found")


async def test_removing_what_is_not_there_is_no_error(client: httpx.AsyncClient) -> None:
    assert (await client.delete(f"{LINES}/99", headers=NO_KEY)).status_code == 200


async def test_a_full_cart_is_a_business_answer(client: httpx.AsyncClient, world: World) -> None:
    fill(world, *range(10, 10 + MOST_LINES))
    before = refused("cart-full")

    response = await client.put(f"{LINES}/3", json={"quantity": 2}, headers=NO_KEY)

    assert (response.status_code, response.json()["code"]) == (409, "cart-full")
    assert refused("cart-full") == before + 1


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (NotAccepted("lock"), 503, "not-accepted"),
        (Overloaded("full"), 503, "overloaded"),
        (OutcomeUnknown("commit"), 504, "outcome-unknown"),
    ],
)
async def test_what_was_not_done_says_so(
    client: httpx.AsyncClient, world: World, failure: Exception, status: int, code: str
) -> None:
    world.carts.failure = failure

    response = await client.put(f"{LINES}/3", json={"quantity": 1}, headers=NO_KEY)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "retry-after" in response.headers


async def test_a_checkout_is_an_order_and_empties_the_cart(client: httpx.AsyncClient, world: World) -> None:
    fill(world, 3, 1)

    response = await client.post(CHECKOUT, json={}, headers=headers())

    assert response.status_code == 202
    assert response.json() == {
        "id": str(UUID(int=1)),
        "status": "PENDING",
        "total": 400,
        "coupon_id": None,
        "lines": [
            {"product_id": 3, "quantity": 1, "unit_price": 300},
            {"product_id": 1, "quantity": 1, "unit_price": 100},
        ],
        "created_at": "2026-11-25T20:00:00Z",
    }
    assert response.headers["location"] == f"/api/v1/orders/{UUID(int=1)}"
    assert (await client.get(CART, headers=NO_KEY)).json()["lines"] == []


async def test_a_repeated_checkout_is_the_same_order_also_when_the_cart_is_full_again(
    client: httpx.AsyncClient, world: World
) -> None:
    fill(world, 3)
    first = await client.post(CHECKOUT, json={}, headers=headers())
    fill(world, 2)

    again = await client.post(CHECKOUT, json={"coupon_id": None}, headers=headers())

    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert [line.product_id for line in world.carts.carts[UserId(1)].lines] == [2]


async def test_an_empty_cart_cannot_be_ordered(client: httpx.AsyncClient) -> None:
    before = refused("cart-empty")

    response = await client.post(CHECKOUT, json={}, headers=headers())

    assert (response.status_code, response.json()["code"]) == (409, "cart-empty")
    assert response.json()["instance"] == response.headers["x-trace-id"]
    assert refused("cart-empty") == before + 1


async def test_a_line_changes_what_an_empty_cart_was_answered_under_the_same_key(client: httpx.AsyncClient) -> None:
    await client.post(CHECKOUT, json={}, headers=headers())
    await client.put(f"{LINES}/3", json={"quantity": 2}, headers=NO_KEY)

    response = await client.post(CHECKOUT, json={}, headers=headers())

    assert (response.status_code, response.json()["total"]) == (202, 600)
    assert "idempotency-replayed" not in response.headers


async def test_a_product_that_vanished_is_named_and_the_cart_stays(client: httpx.AsyncClient, world: World) -> None:
    fill(world, 1, 77)

    response = await client.post(CHECKOUT, json={}, headers=headers())

    assert (response.status_code, response.json()["code"]) == (422, "unknown-product")
    assert response.json()["errors"] == [{"field": "lines[1].product_id", "message": "There is no product 77."}]
    assert len(world.carts.carts[UserId(1)].lines) == 2


async def test_a_coupon_goes_with_the_order(client: httpx.AsyncClient, world: World) -> None:
    fill(world, 1)

    await client.post(CHECKOUT, json={"coupon_id": 7}, headers=headers())

    (keyed,) = world.check_out.received
    assert keyed.command == CheckOut(order_id=keyed.command.order_id, user_id=UserId(1), coupon_id=7)


async def test_a_checkout_wants_a_key(client: httpx.AsyncClient, world: World) -> None:
    response = await client.post(CHECKOUT, json={}, headers=NO_KEY)

    assert (response.status_code, response.json()["code"]) == (400, "idempotency-key-missing")
    assert world.untouched()
