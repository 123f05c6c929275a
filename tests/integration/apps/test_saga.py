"""Orders through all processes on real servers: bought, refused, compensated; killed and scaled under load."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from doorbuster.bootstrap.prepare import Preparation, SeedProfile, prepare
from doorbuster.infra.migrations import connected
from doorbuster.settings import Settings
from tests.audit import ORDERS, UNDER_WAY, Ask, breaches
from tests.crowd import shopping
from tests.integration.apps.conftest import PARTITIONS
from tests.integration.apps.platform import Buyer, Platform, running_platform
from tests.integration.apps.processes import Application
from tests.integration.polling import seconds_until

QUIET_SECONDS = 90
# Of the seed profile `test`.
PRODUCT = 3
UNITS_OF_PRODUCT = 1_000
SCARCE_PRODUCT = 2
UNITS_OF_SCARCE_PRODUCT = 5
POINTS_OF_USER = 1_000_000
PREPARATION = Preparation(profile=SeedProfile.TEST, partitions=PARTITIONS, replication_factor=1)


@pytest.fixture
def platform(empty_tables: Settings, topics: frozenset[str], tmp_path: Path) -> Iterator[Platform]:
    """Every process, on seeded tables and new topics."""
    asyncio.run(prepare(empty_tables, PREPARATION))
    with running_platform(empty_tables, tmp_path) as platform:
        yield platform


def test_an_order_is_paid_and_everybody_learns_of_it(platform: Platform, empty_tables: Settings) -> None:
    buyer = platform.buyer(1)
    price = _price(empty_tables)

    order_id = buyer.buy("one", (PRODUCT, 2)).raise_for_status().json()["id"]

    _until_final(buyer, order_id)
    assert buyer.order(order_id)["status"] == "PAID"
    assert buyer.points() == POINTS_OF_USER - 2 * price
    _until_quiet(empty_tables)
    assert breaches(_ask(empty_tables)) == {}
    assert httpx.get(f"{platform.partner_address}/counts").json()["orders"] == 1


def test_an_order_for_more_than_there_is_fails_and_is_compensated(platform: Platform, empty_tables: Settings) -> None:
    buyer = platform.buyer(1)

    order_id = buyer.buy("greedy", (PRODUCT, 1), (SCARCE_PRODUCT, UNITS_OF_SCARCE_PRODUCT + 1)).json()["id"]

    assert _failure(buyer, order_id) == "out-of-stock"
    _until_quiet(empty_tables)
    assert breaches(_ask(empty_tables)) == {}
    assert buyer.points() == POINTS_OF_USER
    last_units = buyer.buy("last-units", (SCARCE_PRODUCT, UNITS_OF_SCARCE_PRODUCT)).json()["id"]
    _until_final(buyer, last_units)
    assert buyer.order(last_units)["status"] == "PAID"


def test_an_order_for_more_than_one_has_gives_its_stock_back(platform: Platform, empty_tables: Settings) -> None:
    buyer = platform.buyer(1)
    dearest = _scalar(empty_tables, f"SELECT id FROM products WHERE id > {SCARCE_PRODUCT} ORDER BY price DESC LIMIT 1")

    order_id = buyer.buy("dear", (dearest, UNITS_OF_PRODUCT)).json()["id"]

    assert _failure(buyer, order_id) == "insufficient-points"
    _until_quiet(empty_tables)
    assert breaches(_ask(empty_tables)) == {}
    available = f"SELECT available FROM stock WHERE product_id = {dearest}"
    assert _scalar(empty_tables, available) == UNITS_OF_PRODUCT


def test_kills_and_more_consumers_under_load_lose_and_double_nothing(
    platform: Platform, empty_tables: Settings
) -> None:
    buyers = [platform.buyer(user) for user in (1, 2, 3, 4)]
    with shopping(*(partial(_buy_one, buyer) for buyer in buyers)) as crowd:
        for name in ("stock", "relay", "order-flow", "payment", "coupon", "post-process", "external-data", "watch"):
            _replace(platform.applications[name])
        more = [platform.one_more("stock") for _ in range(3)]
        _start(more)
        _replace(platform.applications["api"])
        crowd.wait_for_more(20, within_seconds=QUIET_SECONDS)
        for application in more:
            assert application.stop() == 0, application.logs()
            application.close()

    crowd.settle()
    _until_quiet(empty_tables)
    assert breaches(_ask(empty_tables)) == {}
    told = crowd.told()
    assert len(told) == len(set(told)) > 50
    assert sorted(_ask(empty_tables)(ORDERS)) == told


def _buy_one(buyer: Buyer, key: str) -> httpx.Response:
    return buyer.buy(key, (PRODUCT, 1))


def _replace(application: Application) -> None:
    """End a process without a chance to say goodbye, and start it again, as Kubernetes does."""
    application.kill()
    application.start()
    application.wait_ready()


def _start(applications: list[Application]) -> None:
    for application in applications:
        application.start()
    for application in applications:
        application.wait_ready()


def _until_final(buyer: Buyer, order_id: str) -> None:
    seconds_until(
        lambda: buyer.order(order_id)["status"] != "PENDING", within_seconds=QUIET_SECONDS, what=f"{order_id} is final"
    )


def _failure(buyer: Buyer, order_id: str) -> object:
    _until_final(buyer, order_id)
    order = buyer.order(order_id)
    assert order["status"] == "FAILED"
    return order["failure_reason"]


def _until_quiet(settings: Settings) -> None:
    seconds_until(lambda: _scalar(settings, UNDER_WAY) == 0, within_seconds=QUIET_SECONDS, what="nothing is under way")


def _price(settings: Settings) -> int:
    return _scalar(settings, f"SELECT price FROM products WHERE id = {PRODUCT}")


def _scalar(settings: Settings, query: str) -> int:
    return int(_ask(settings)(query)[0])


def _ask(settings: Settings) -> Ask:
    def ask(query: str) -> list[str]:
        with connected(settings.mysql) as connection:
            return ["\t".join(map(str, row)) for row in connection.execute(text(query))]

    return ask
