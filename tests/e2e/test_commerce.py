"""Coupons, carts, streams and cancels through the ingress, and what stands in the books afterwards."""

import json

import pytest

from tests.e2e.kubernetes import Kubernetes, Object
from tests.e2e.shop import Buyer, Shop
from tests.integration.polling import seconds_until

PRODUCT, ANOTHER = 1, 3
OFF = 30
UNITS = 2
ISSUED_SECONDS = 60


@pytest.fixture
def coupon(healthy: Kubernetes) -> int:
    """A coupon of which there are two, made as a person makes it."""
    printed = healthy.execute(
        "deployment/apps-api", "python3", "-m", "doorbuster.jobs.coupons", "create",
        "--name", "Opening day", "--fixed", str(OFF), "--total", str(UNITS),
    )  # fmt: skip
    return int(json.loads(printed)["id"])


def issued(buyer: Buyer, coupon: int) -> Object:
    """Return the buyer's issue as soon as the issuer has finished it."""
    answer = buyer.post(f"/api/v1/coupons/{coupon}/issues", {})
    assert answer.status_code == 202, answer.text
    path = answer.headers["location"]
    seconds_until(
        lambda: buyer.get(path).raise_for_status().json()["status"] == "ISSUED",
        within_seconds=ISSUED_SECONDS,
        what="the coupon is ISSUED",
    )
    found: Object = buyer.get(path).json()
    return found


def test_coupons_go_to_those_who_come_first_and_once_to_each(shop: Shop, coupon: int) -> None:
    first, second, third = (shop.buyer(user) for user in (21, 22, 23))

    issues = [issued(first, coupon), issued(second, coupon)]
    again = first.post(f"/api/v1/coupons/{coupon}/issues", {})
    late = third.post(f"/api/v1/coupons/{coupon}/issues", {})

    assert issues[0]["id"] != issues[1]["id"]
    assert (again.status_code, again.json()["id"]) == (202, issues[0]["id"])
    assert (late.status_code, late.json()["code"]) == (409, "sold-out")


def test_a_cart_is_ordered_with_a_coupon_and_its_stream_tells_how_it_is_paid(shop: Shop, coupon: int) -> None:
    buyer = shop.buyer(24)
    issued(buyer, coupon)
    points = buyer.balance()
    for product, quantity in ((PRODUCT, 1), (ANOTHER, 2)):
        assert buyer.put(f"/api/v1/cart/lines/{product}", {"quantity": quantity}).status_code == 200

    order = buyer.post("/api/v1/cart/checkout", {"coupon_id": coupon}).raise_for_status().json()
    told = list(buyer.events(f"/api/v1/orders/{order['id']}/events"))

    assert told[-1]["status"] == "PAID"
    assert (told[-1]["discount"], told[-1]["to_pay"]) == (OFF, order["total"] - OFF)
    assert buyer.balance() == points - order["total"] + OFF
    assert buyer.get("/api/v1/cart").json()["lines"] == []
    entry = buyer.get("/api/v1/points/entries?limit=1").raise_for_status().json()["entries"][0]
    assert entry["amount"] == OFF - order["total"]


def test_a_cancelled_order_is_failed_or_was_paid_before_and_never_both(shop: Shop) -> None:
    buyer = shop.buyer(25)
    points = buyer.balance()
    order = buyer.accepted((PRODUCT, 1))

    answer = buyer.post(f"/api/v1/orders/{order}/cancellation", {})
    final = buyer.final(order)

    assert answer.status_code in {200, 202, 409}
    if final["status"] == "FAILED":
        seconds_until(lambda: buyer.balance() == points, within_seconds=ISSUED_SECONDS, what="the points are back")
    else:
        assert buyer.balance() == points - final["total"]
        assert answer.status_code != 200
