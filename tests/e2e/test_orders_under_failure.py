"""Orders while members die and consumers come and go: nothing accepted is lost, nothing has an effect twice."""

from functools import partial

import httpx

from tests.audit import ORDERS, UNDER_WAY, Ask, breaches
from tests.crowd import shopping
from tests.e2e.conftest import Figures, PowerCut
from tests.e2e.kubernetes import Kubernetes
from tests.e2e.shop import Buyer, Shop, restarts
from tests.e2e.test_mysql import wait_for_three
from tests.e2e.test_orders import DOORBUSTER_TEST, STOCK, scaled
from tests.e2e.witnesses import mysql_primary
from tests.integration.polling import seconds_until

USERS = (11, 12, 13, 14)
GOES_ON_SECONDS = 120
QUIET_SECONDS = 180


def test_orders_survive_the_loss_of_members_and_a_change_of_consumers(
    healthy: Kubernetes, shop: Shop, power_cut: PowerCut, ask: Ask, figures: Figures
) -> None:
    buyers = [shop.buyer(user) for user in USERS]
    before, restarted = bought(buyers), restarts(healthy)
    with shopping(*(partial(buy_one, buyer) for buyer in buyers)) as crowd:
        crowd.wait_for_more(50, within_seconds=GOES_ON_SECONDS)
        with scaled(healthy, STOCK, replicas=4):
            crowd.wait_for_more(50, within_seconds=GOES_ON_SECONDS)
        power_cut(mysql_primary(healthy))
        figures.seconds(
            "Orders: accepted again after the kill of MySQL's primary",
            crowd.wait_for_more(5, within_seconds=GOES_ON_SECONDS),
        )
        power_cut("data-kafka-1")
        crowd.wait_for_more(50, within_seconds=GOES_ON_SECONDS)

    wait_for_three(healthy)
    crowd.settle()
    figures.seconds(
        "Orders: everything final and delivered after the last one",
        seconds_until(lambda: ask(UNDER_WAY) == ["0"], within_seconds=QUIET_SECONDS, what="nothing is under way"),
    )
    assert breaches(ask) == {}
    told = crowd.told()
    assert len(told) == len(set(told))
    assert set(told) <= set(ask(ORDERS))
    assert sorted({*bought(buyers)} - {*before}) == told
    # A member that goes away ends no process but its own.
    assert {pod: count for pod, count in restarts(healthy).items() if count > restarted.get(pod, 0)} == {}


def buy_one(buyer: Buyer, key: str) -> httpx.Response:
    """Order one unit."""
    return buyer.place((DOORBUSTER_TEST, 1), key=key)


def bought(buyers: list[Buyer]) -> list[str]:
    """Return the ids of all orders of these buyers, sorted, as the API lists them."""
    return sorted(order_id for buyer in buyers for order_id in buyer.orders())
