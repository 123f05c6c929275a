"""A consumer that falls behind is scaled out, and in again; and every decision can be read."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from doorbuster_cluster.commands.session import Session
from doorbuster_cluster.commands.supply import APPS
from doorbuster_cluster.runtime.releases import NAMESPACE, values_file
from loadtests.rig.releases import change, read_release
from tests.audit import ORDERS, UNDER_WAY, Ask, breaches
from tests.crowd import shopping
from tests.e2e.conftest import Figures
from tests.e2e.kubernetes import Kubernetes, Object
from tests.e2e.monitoring import Monitoring
from tests.e2e.shop import STARTING_SECONDS, Shop
from tests.e2e.test_orders import STOCK
from tests.e2e.test_orders_under_failure import bought, buy_one
from tests.integration.polling import seconds_until

SCALER = "stock"
OPERATOR = "deployment/operator"
# Two buyers order about 15 a second; one replica of stock then does about 8.
USERS = (15, 16)
DELAY = "120ms"
FALLS_BEHIND_SECONDS = 180
SCALES_IN_SECONDS = 180
# Instead of two minutes, so that the test is short; the rule is the same.
WINDOW = "30s"
ALERT_SECONDS = 120
# The first step comes before the capacity is known.
SCALED_OUT = {"ScaleOut", "StepByStep"}
# The scaler's own default.
PROMISED_SECONDS = 10


@contextmanager
def slow_stock(session: Session, kubernetes: Kubernetes) -> Iterator[None]:
    """Make each record of the stock consumer take longer (P19), and bring everything back afterwards."""
    change(session.tools, {
        "faults.enabled": "true",
        "consumers.stock.faults.delayPerRecord": DELAY,
        "consumers.stock.scaling.scaleDown.window": WINDOW,
    })  # fmt: skip
    try:
        yield
    finally:
        values = values_file(session.settings, APPS)
        read_release(values).install(session.tools, values)
        kubernetes.wait_ready(f"deployment/{STOCK}", within_seconds=STARTING_SECONDS)


def replicas(kubernetes: Kubernetes) -> int:
    return int(kubernetes.get("deployment", STOCK)["spec"]["replicas"])


def status(kubernetes: Kubernetes) -> Object:
    found: Object = kubernetes.get("consumerscaler", SCALER).get("status", {})
    return found


def test_a_consumer_that_falls_behind_is_scaled_out_and_in_again(
    shop: Shop, healthy: Kubernetes, session: Session, ask: Ask, figures: Figures
) -> None:
    monitoring = Monitoring(kubernetes=healthy)
    buyers = [shop.buyer(user) for user in USERS]
    before = bought(buyers)
    assert shop.faults() == []
    seconds_until(lambda: replicas(healthy) == 1, within_seconds=SCALES_IN_SECONDS, what="stock has one replica")
    with slow_stock(session, healthy):
        with shopping(*(partial(buy_one, buyer) for buyer in buyers)) as crowd:
            figures.seconds("Scaling: one replica too few, then two", seconds_until(
                lambda: replicas(healthy) >= 2, within_seconds=FALLS_BEHIND_SECONDS, what="stock is scaled out"
            ))  # fmt: skip
            # A new operator knows what the old one knew: it is in the object's status.
            kill_operator(healthy)
            highest = settled_replicas(healthy)
            assert shop.faults() == ["consumer-stock/delay-per-record"]
            seconds_until(
                lambda: "FaultSwitchOn" in monitoring.told(), within_seconds=ALERT_SECONDS,
                what="Alertmanager was told that a fault is switched on",
            )  # fmt: skip
        crowd.settle()
        quiet_since = time.monotonic()
        seconds_until(lambda: ask(UNDER_WAY) == ["0"], within_seconds=SCALES_IN_SECONDS, what="nothing is under way")
        seconds_until(lambda: replicas(healthy) == 1, within_seconds=SCALES_IN_SECONDS, what="stock is scaled in")
        figures.seconds("Scaling: no more orders, then one replica", time.monotonic() - quiet_since)
        decisions = status(healthy)["decisions"]
        events = scaling_events(healthy)
    assert highest >= 2
    assert SCALED_OUT & {each["reason"] for each in decisions}
    assert "ScaleIn" in {each["reason"] for each in decisions}
    assert any("records/s" in each["message"] for each in decisions)
    assert SCALED_OUT & {event["reason"] for event in events}
    assert "ScaleIn" in {event["reason"] for event in events}
    assert breaches(ask) == {}
    told = crowd.told()
    assert len(told) == len(set(told))
    assert set(told) <= set(ask(ORDERS))
    assert sorted({*bought(buyers)} - {*before}) == told


def kill_operator(kubernetes: Kubernetes) -> None:
    pods = kubernetes.list("pods", "app.kubernetes.io/instance=operator,app.kubernetes.io/component=operator")
    kubernetes.replace_pods(*(pod["metadata"]["name"] for pod in pods))
    kubernetes.wait_ready(OPERATOR, within_seconds=STARTING_SECONDS)


def settled_replicas(kubernetes: Kubernetes) -> int:
    """Return the replicas as soon as the records don't wait longer than promised any more."""

    def carried() -> bool:
        told = status(kubernetes)
        in_time = float(told["oldestRecordAge"].removesuffix("s")) <= PROMISED_SECONDS
        return in_time and kubernetes.ready("deployment", STOCK) and replicas(kubernetes) >= 2

    seconds_until(carried, within_seconds=FALLS_BEHIND_SECONDS, what="the replicas carry the load")
    return replicas(kubernetes)


def scaling_events(kubernetes: Kubernetes) -> list[Object]:
    found = kubernetes.list("events")
    return [event for event in found if event["involvedObject"].get("name") == SCALER
            and event["involvedObject"].get("kind") == "ConsumerScaler"]  # fmt: skip


def test_a_person_reads_what_the_operator_thinks(shop: Shop, healthy: Kubernetes) -> None:
    assert shop.healthy()
    listed = healthy.tools.kubectl("get", "consumerscalers", "--namespace", NAMESPACE)
    described = healthy.tools.kubectl("describe", "consumerscaler", SCALER, "--namespace", NAMESPACE)
    assert {"NAME", "TARGET", "GROUP", "REPLICAS", "DESIRED", "LAG", "REASON"} <= set(listed.splitlines()[0].split())
    assert "stock-service-group" in listed
    assert "Reason" in described


def test_paused_means_that_nothing_is_decided(shop: Shop, healthy: Kubernetes) -> None:
    assert shop.healthy()
    patch(healthy, {"paused": True})
    try:
        seconds_until(lambda: status(healthy)["reason"] == "Paused", within_seconds=60, what="the scaler says so")
    finally:
        patch(healthy, {"paused": False})
    seconds_until(lambda: status(healthy)["reason"] != "Paused", within_seconds=60, what="it decides again")


def patch(kubernetes: Kubernetes, spec: Object) -> None:
    kubernetes.tools.kubectl(
        "patch",
        "consumerscaler",
        SCALER,
        "--namespace",
        NAMESPACE,
        "--type=merge",
        "--patch",
        json.dumps({"spec": spec}),
    )
