"""Orders through all processes on real servers: bought, refused, compensated; killed and scaled under load."""

from functools import partial

import httpx

from doorbuster.coupons.tables import coupon_issues, coupons
from doorbuster.infra.mysql.migrations import connected
from tests.audit import ORDERS, breaches
from tests.crowd import shopping
from tests.integration.apps.books import QUIET_SECONDS, Books
from tests.integration.apps.coupon_rows import coupon, issue
from tests.integration.apps.platform import Buyer, Platform
from tests.integration.apps.processes import Application

# Of the seed profile `test`.
PRODUCT = 3
UNITS_OF_PRODUCT = 1_000
SCARCE_PRODUCT = 2
UNITS_OF_SCARCE_PRODUCT = 5
POINTS_OF_USER = 1_000_000
COUPON = 7


def test_an_order_is_paid_and_everybody_learns_of_it(platform: Platform, books: Books) -> None:
    buyer = platform.buyer(1)
    price = books.number(f"SELECT price FROM products WHERE id = {PRODUCT}")

    order_id = buyer.buy("one", (PRODUCT, 2)).raise_for_status().json()["id"]

    assert buyer.final(order_id)["status"] == "PAID"
    assert buyer.points() == POINTS_OF_USER - 2 * price
    books.until_quiet()
    assert breaches(books.ask) == {}
    assert httpx.get(f"{platform.partner_address}/counts").json()["orders"] == 1


def test_an_order_for_more_than_there_is_fails_and_is_compensated(platform: Platform, books: Books) -> None:
    buyer = platform.buyer(1)

    order_id = buyer.buy("greedy", (PRODUCT, 1), (SCARCE_PRODUCT, UNITS_OF_SCARCE_PRODUCT + 1)).json()["id"]

    assert outcome(buyer, order_id) == ("FAILED", "out-of-stock")
    books.until_quiet()
    assert breaches(books.ask) == {}
    assert buyer.points() == POINTS_OF_USER
    last_units = buyer.buy("last-units", (SCARCE_PRODUCT, UNITS_OF_SCARCE_PRODUCT)).json()["id"]
    assert outcome(buyer, last_units) == ("PAID", None)


def test_an_order_for_more_than_one_has_gives_its_stock_back(platform: Platform, books: Books) -> None:
    buyer = platform.buyer(1)
    dearest = books.number(f"SELECT id FROM products WHERE id > {SCARCE_PRODUCT} ORDER BY price DESC LIMIT 1")

    order_id = buyer.buy("dear", (dearest, UNITS_OF_PRODUCT)).json()["id"]

    assert outcome(buyer, order_id) == ("FAILED", "insufficient-points")
    books.until_quiet()
    assert breaches(books.ask) == {}
    assert books.number(f"SELECT available FROM stock WHERE product_id = {dearest}") == UNITS_OF_PRODUCT


def test_a_coupon_pays_a_part_is_given_back_by_a_failure_and_redeemed_once(platform: Platform, books: Books) -> None:
    buyer = platform.buyer(1)
    with connected(books.mysql) as connection:
        connection.execute(coupons.insert(), [coupon(COUPON, kind="percentage", value=20)])
        connection.execute(coupon_issues.insert(), [issue(COUPON, 1)])
    price = books.number(f"SELECT price FROM products WHERE id = {PRODUCT}")
    discount = price * 2 * 20 // 100

    greedy = buyer.buy("greedy", (SCARCE_PRODUCT, UNITS_OF_SCARCE_PRODUCT + 1), coupon=COUPON).json()["id"]
    assert outcome(buyer, greedy) == ("FAILED", "out-of-stock")
    books.until_quiet()
    paid = buyer.final(buyer.buy("paid", (PRODUCT, 2), coupon=COUPON).json()["id"])
    again = buyer.buy("again", (PRODUCT, 1), coupon=COUPON).json()["id"]

    assert (paid["status"], paid["total"], paid["discount"]) == ("PAID", 2 * price, discount)
    assert outcome(buyer, again) == ("FAILED", "already-redeemed")
    assert buyer.points() == POINTS_OF_USER - 2 * price + discount
    books.until_quiet()
    assert breaches(books.ask) == {}


def test_an_order_that_its_coupon_pays_costs_no_points(platform: Platform, books: Books) -> None:
    buyer = platform.buyer(1)
    with connected(books.mysql) as connection:
        connection.execute(coupons.insert(), [coupon(COUPON, kind="percentage", value=100)])
        connection.execute(coupon_issues.insert(), [issue(COUPON, 1, status="ACCEPTED")])

    order = buyer.final(buyer.buy("free", (PRODUCT, 1), coupon=COUPON).json()["id"])

    assert (order["status"], order["to_pay"]) == ("PAID", 0)
    assert buyer.points() == POINTS_OF_USER
    books.until_quiet()
    assert breaches(books.ask) == {}


def test_kills_and_more_consumers_under_load_lose_and_double_nothing(platform: Platform, books: Books) -> None:
    buyers = [platform.buyer(user) for user in (1, 2, 3, 4)]
    with shopping(*(partial(buy_one, buyer) for buyer in buyers)) as crowd:
        for name in ("stock", "relay", "order-flow", "payment", "coupon", "post-process", "external-data", "watch"):
            replace(platform.applications[name])
        more = [platform.one_more("stock") for _ in range(3)]
        start(more)
        replace(platform.applications["api"])
        crowd.wait_for_more(20, within_seconds=QUIET_SECONDS)
        for application in more:
            assert application.stop() == 0, application.logs()
            application.close()

    crowd.settle()
    books.until_quiet()
    assert breaches(books.ask) == {}
    told = crowd.told()
    assert len(told) == len(set(told)) > 50
    assert sorted(books.ask(ORDERS)) == told


def outcome(buyer: Buyer, order_id: str) -> tuple[object, object]:
    """The final status of an order, and why it failed."""
    order = buyer.final(order_id)
    return order["status"], order["failure_reason"]


def buy_one(buyer: Buyer, key: str) -> httpx.Response:
    """Order one unit."""
    return buyer.buy(key, (PRODUCT, 1))


def replace(application: Application) -> None:
    """End a process without a chance to say goodbye, and start it again, as Kubernetes does."""
    application.kill()
    start([application])


def start(applications: list[Application]) -> None:
    """Start processes beside each other, and wait for all."""
    for application in applications:
        application.start()
    for application in applications:
        application.wait_ready()
