"""Orders through the ingress: paid, refused and compensated, repeated, and nobody else's business."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import BuiltSupply
from doorbuster_cluster.commands.up import TEST_TOKEN_SECRET, apps_release
from doorbuster_cluster.runtime.releases import CHARTS, NAMESPACE, values_file
from tests.e2e.conftest import Figures
from tests.e2e.kubernetes import Kubernetes
from tests.e2e.shop import STARTING_SECONDS, Shop, pod_of
from tests.e2e.witnesses import mysql_primary, query_mysql
from tests.integration.polling import seconds_until

# The seed profile's: 5 units of the second are all there are.
DOORBUSTER_TEST, SCARCE, ANOTHER = 1, 2, 3
SCARCE_UNITS = 5
STOCK = "apps-consumer-stock"


def available(kubernetes: Kubernetes, product: int) -> int:
    statement = f"SELECT available FROM doorbuster.stock WHERE product_id = {product}"
    return int(query_mysql(kubernetes, mysql_primary(kubernetes), statement))


def compensated(kubernetes: Kubernetes, order_id: str) -> bool:
    condition = f"id = UUID_TO_BIN('{order_id}') AND compensated_at IS NOT NULL"
    answer = query_mysql(
        kubernetes, mysql_primary(kubernetes), f"SELECT COUNT(*) FROM doorbuster.orders WHERE {condition}"
    )
    return answer.strip() == "1"


def test_an_order_is_paid_with_the_buyers_points_and_units(healthy: Kubernetes, shop: Shop, figures: Figures) -> None:
    buyer = shop.buyer(1)
    points, units = buyer.balance(), available(healthy, DOORBUSTER_TEST)

    order_id = buyer.accepted((DOORBUSTER_TEST, 2))
    figures.seconds("Order: accepted, then PAID", seconds_until(
        lambda: buyer.order(order_id)["status"] == "PAID", within_seconds=60, what="the order is PAID"
    ))  # fmt: skip

    order = buyer.order(order_id)
    assert order["failure_reason"] is None
    assert buyer.balance() == points - order["total"]
    assert available(healthy, DOORBUSTER_TEST) == units - 2


def test_an_order_without_stock_fails_and_leaves_everything_as_it_was(healthy: Kubernetes, shop: Shop) -> None:
    buyer = shop.buyer(2)
    points, units, others = buyer.balance(), available(healthy, SCARCE), available(healthy, ANOTHER)

    order = buyer.final(buyer.accepted((SCARCE, SCARCE_UNITS + 1), (ANOTHER, 1)))

    assert (order["status"], order["failure_reason"]) == ("FAILED", "out-of-stock")
    seconds_until(lambda: compensated(healthy, order["id"]), within_seconds=60, what="everybody has given back")
    assert buyer.balance() == points
    assert (available(healthy, SCARCE), available(healthy, ANOTHER)) == (units, others)


def test_a_repeated_key_is_one_order(shop: Shop) -> None:
    buyer, key = shop.buyer(3), str(uuid.uuid4())

    first, second = buyer.place((DOORBUSTER_TEST, 1), key=key), buyer.place((DOORBUSTER_TEST, 1), key=key)
    other = buyer.place((DOORBUSTER_TEST, 2), key=key)

    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 422)
    assert first.json() == second.json()
    listed = [order["id"] for order in buyer.get("/api/v1/orders?limit=100").json()["orders"]]
    assert listed.count(first.json()["id"]) == 1


def test_another_buyers_order_is_unknown(shop: Shop) -> None:
    order_id = shop.buyer(4).accepted((DOORBUSTER_TEST, 1))

    assert shop.buyer(5).get(f"/api/v1/orders/{order_id}").status_code == 404
    assert shop.stranger().get(f"/api/v1/orders/{order_id}").status_code == 401


def test_a_wrong_order_is_a_problem_that_names_the_field(shop: Shop) -> None:
    answer = shop.buyer(6).place((DOORBUSTER_TEST, 0))

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert any("quantity" in error["field"] for error in answer.json()["errors"])


def test_an_upgrade_leaves_the_number_of_consumers_alone(shop: Shop, healthy: Kubernetes, session: Session) -> None:
    with scaled(healthy, STOCK, replicas=4):
        release = apps_release(session, BuiltSupply(session=session))
        values = values_file(session.settings, "apps")
        session.tools.helm(
            "upgrade", "apps", CHARTS / "apps", "--namespace", NAMESPACE, "--values", values,
            # The mark by which `make up` knows its release again.
            "--description", release.digest(), "--wait", "--timeout", "5m", timeout_seconds=330,
        )  # fmt: skip
        assert healthy.get("deployment", STOCK)["spec"]["replicas"] == 4
        buyer = shop.buyer(7)
        assert buyer.final(buyer.accepted((DOORBUSTER_TEST, 1)))["status"] == "PAID"


@contextmanager
def scaled(kubernetes: Kubernetes, deployment: str, *, replicas: int) -> Iterator[None]:
    """Scale a Deployment as its scaler does, and back to one replica."""

    def scale(number: int) -> None:
        kubernetes.tools.kubectl("scale", f"deployment/{deployment}", f"--replicas={number}", "--namespace", NAMESPACE)
        kubernetes.wait_ready(f"deployment/{deployment}", within_seconds=STARTING_SECONDS)

    scale(replicas)
    try:
        yield
    finally:
        scale(1)


def test_the_releases_own_test_buys_where_it_has_a_token(shop: Shop, healthy: Kubernetes, session: Session) -> None:
    token = shop.buyer(8).token
    healthy.apply({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": TEST_TOKEN_SECRET}, "stringData": {"token": token},
    })  # fmt: skip
    try:
        printed = session.tools.helm("test", "apps", "--namespace", NAMESPACE, timeout_seconds=180)
    finally:
        healthy.delete("secret", TEST_TOKEN_SECRET)
    assert "Succeeded" in printed
    assert "an order of doorbuster-test is PAID" in healthy.logs("apps-checks")


def test_the_releases_own_test_says_that_it_has_no_token(shop: Shop, healthy: Kubernetes, session: Session) -> None:
    assert shop.healthy()
    assert "Succeeded" in session.tools.helm("test", "apps", "--namespace", NAMESPACE, timeout_seconds=180)
    assert "only health was checked" in healthy.logs("apps-checks")


def test_paid_orders_reach_the_partner_once(shop: Shop, healthy: Kubernetes) -> None:
    buyer = shop.buyer(9)
    before = delivered(healthy)

    order = buyer.final(buyer.accepted((DOORBUSTER_TEST, 1)))

    assert order["status"] == "PAID"
    seconds_until(lambda: delivered(healthy) > before, within_seconds=60, what="the partner was told")


def delivered(kubernetes: Kubernetes) -> int:
    """How many orders the stand-in for the partner has been told about."""
    pod = pod_of(kubernetes, "partner")["metadata"]["name"]
    ask = "import json, urllib.request as r; print(json.load(r.urlopen('http://127.0.0.1:8000/counts'))['orders'])"
    return int(kubernetes.execute(pod, "python3", "-c", ask))
