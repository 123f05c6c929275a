"""Orders through all processes on real servers: bought, refused, compensated; killed and scaled under load."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from doorbuster.bootstrap.prepare import Preparation, SeedProfile, prepare
from doorbuster.infra.migrations import connected
from doorbuster.settings import Settings
from tests.integration.apps.audit import breaches
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
# What nobody works on any more: no saga, no message, no delivery.
UNDER_WAY = """
    SELECT (SELECT COUNT(*) FROM order_sagas WHERE open <> 0) + (SELECT COUNT(*) FROM outbox WHERE published_at IS NULL)
         + (SELECT COUNT(*) FROM orders WHERE status = 'PAID')
         - (SELECT COUNT(*) FROM deliveries WHERE status = 'DELIVERED')
"""


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
    assert breaches(empty_tables.mysql) == {}
    assert httpx.get(f"{platform.partner_address}/counts").json()["orders"] == 1


def test_an_order_for_more_than_there_is_fails_and_is_compensated(platform: Platform, empty_tables: Settings) -> None:
    buyer = platform.buyer(1)

    order_id = buyer.buy("greedy", (PRODUCT, 1), (SCARCE_PRODUCT, UNITS_OF_SCARCE_PRODUCT + 1)).json()["id"]

    assert _failure(buyer, order_id) == "out-of-stock"
    _until_quiet(empty_tables)
    assert breaches(empty_tables.mysql) == {}
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
    assert breaches(empty_tables.mysql) == {}
    available = f"SELECT available FROM stock WHERE product_id = {dearest}"
    assert _scalar(empty_tables, available) == UNITS_OF_PRODUCT


def test_kills_and_more_consumers_under_load_lose_and_double_nothing(
    platform: Platform, empty_tables: Settings
) -> None:
    with _shoppers(platform, users=(1, 2, 3, 4)) as shoppers:
        for name in ("stock", "relay", "order-flow", "payment", "coupon", "post-process", "external-data", "watch"):
            _replace(platform.applications[name])
        more = [platform.one_more("stock") for _ in range(3)]
        _start(more)
        _replace(platform.applications["api"])
        for application in more:
            assert application.stop() == 0, application.logs()
            application.close()

    buyers = [shopper.buyer for shopper in shoppers]
    _settle_unknown(buyers)
    _until_quiet(empty_tables)
    assert breaches(empty_tables.mysql) == {}
    told = sorted(order_id for buyer in buyers for order_id in buyer.accepted.values())
    assert len(told) == len(set(told)) > 50
    assert _orders(empty_tables) == told


@dataclass(slots=True, kw_only=True)
class Shopper:
    """Buys one unit after the other in a thread until it is told to stop; an answer that never came is asked again."""

    buyer: Buyer
    stopping: threading.Event
    thread: threading.Thread = field(default_factory=threading.Thread)

    def start(self) -> None:
        """Begin."""
        self.thread = threading.Thread(target=self._shop)
        self.thread.start()

    def _shop(self) -> None:
        while not self.stopping.wait(0.05):
            key = str(uuid4())
            try:
                self.buyer.buy(key, (PRODUCT, 1))
            except httpx.HTTPError:
                continue  # the key stays on the list of those whose outcome is unknown


@contextmanager
def _shoppers(platform: Platform, *, users: tuple[int, ...]) -> Iterator[list[Shopper]]:
    stopping = threading.Event()
    shoppers = [Shopper(buyer=platform.buyer(user), stopping=stopping) for user in users]
    for shopper in shoppers:
        shopper.start()
    try:
        yield shoppers
    finally:
        stopping.set()
        for shopper in shoppers:
            shopper.thread.join(30)


def _settle_unknown(buyers: list[Buyer]) -> None:
    """Repeat each request whose answer never came, with its key: afterwards every outcome is known."""
    for buyer in buyers:
        for key in sorted(buyer.unknown):
            seconds_until(
                lambda key=key, buyer=buyer: buyer.buy(key, (PRODUCT, 1)).status_code == httpx.codes.ACCEPTED,  # type: ignore[misc]
                within_seconds=20, what=f"an answer to {key}",
            )  # fmt: skip


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


def _orders(settings: Settings) -> list[str]:
    with connected(settings.mysql) as connection:
        rows = connection.execute(text("SELECT BIN_TO_UUID(id) FROM orders ORDER BY 1"))
        return [str(row[0]) for row in rows]


def _scalar(settings: Settings, query: str) -> int:
    with connected(settings.mysql) as connection:
        return int(connection.execute(text(query)).scalar_one())
