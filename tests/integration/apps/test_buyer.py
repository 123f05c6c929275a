"""A buyer's ways through all processes on real servers: a cart ordered and followed, an order given up."""

import json

import httpx

from tests.audit import breaches
from tests.integration.apps.books import Books
from tests.integration.apps.platform import SAGA_SECONDS, Buyer, Platform

# Of the seed profile `test`.
PRODUCT, OTHER_PRODUCT = 3, 4
POINTS_OF_USER = 1_000_000


def test_a_cart_becomes_an_order_whose_stream_ends_with_paid(platform: Platform, books: Books) -> None:
    buyer = platform.buyer(1)
    for product in (PRODUCT, OTHER_PRODUCT):
        put(buyer, product, 2).raise_for_status()

    accepted = buyer.client.post("/api/v1/cart/checkout", json={}, headers={"Idempotency-Key": "cart"})

    assert accepted.raise_for_status().status_code == 202
    assert buyer.client.get("/api/v1/cart").json()["lines"] == []
    seen = followed(buyer, accepted.headers["location"])
    assert seen[-1] == "PAID"
    assert set(seen[:-1]) <= {"PENDING"}
    books.until_quiet()
    assert breaches(books.ask) == {}
    assert buyer.points() == POINTS_OF_USER - accepted.json()["total"]
    entries = buyer.client.get("/api/v1/points/entries").json()["entries"]
    assert (entries[0]["kind"], entries[0]["order_id"]) == ("spend", accepted.json()["id"])
    assert sum(entry["amount"] for entry in entries) == buyer.points()


def test_a_cancelled_order_ends_compensated_or_paid_and_the_books_are_right(platform: Platform, books: Books) -> None:
    buyer = platform.buyer(1)
    # While nobody reserves, the order can't have come as far as the payment.
    platform.applications["stock"].stop()
    order_id = buyer.buy("first", (PRODUCT, 2)).raise_for_status().json()["id"]
    early = cancelled(buyer, order_id, "give-up")
    platform.applications["stock"].start()

    assert (early.status_code, early.json()["status"]) == (200, "FAILED")
    assert followed(buyer, f"/api/v1/orders/{order_id}")[-1] == "COMPENSATED"
    hasty = [buyer.buy(f"order-{number}", (PRODUCT, 1)).raise_for_status().json()["id"] for number in range(20)]
    answers = [cancelled(buyer, each, f"cancel-{each}") for each in hasty]
    assert {answer.status_code for answer in answers} <= {200, 202, 409}
    ends = [str(buyer.final(each)["status"]) for each in hasty]
    books.until_quiet()
    assert breaches(books.ask) == {}
    for answer, end in zip(answers, ends, strict=True):
        # 202: the payment decided, one way or the other.
        assert answer.status_code == 202 or end == {200: "FAILED", 409: "PAID"}[answer.status_code]
    assert books.number("SELECT COUNT(*) FROM orders WHERE status = 'PAID'") == ends.count("PAID")


def put(buyer: Buyer, product: int, quantity: int) -> httpx.Response:
    """Have so many units of a product in the cart."""
    return buyer.client.put(f"/api/v1/cart/lines/{product}", json={"quantity": quantity})


def cancelled(buyer: Buyer, order_id: str, key: str) -> httpx.Response:
    """Give an order up, under a key."""
    return buyer.client.post(f"/api/v1/orders/{order_id}/cancellation", headers={"Idempotency-Key": key})


def followed(buyer: Buyer, location: str) -> list[str]:
    """The states that an order's stream tells of, until it ends."""
    with buyer.client.stream("GET", f"{location}/events", timeout=SAGA_SECONDS) as response:
        documents = [json.loads(line.removeprefix("data: ")) for line in response.iter_lines() if line[:5] == "data:"]
    return ["COMPENSATED" if each["compensated_at"] else str(each["status"]) for each in documents]
