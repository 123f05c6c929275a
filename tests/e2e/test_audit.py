"""The auditor on the cluster: by command, and by the metrics of its Deployment."""

import json

from tests.e2e.kubernetes import Kubernetes
from tests.e2e.shop import Shop, pod_of
from tests.integration.polling import seconds_until

PRODUCT = 1
METRICS = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9100/metrics').read().decode())"
# A full scan at the start, and a look each 30 s.
SEEN_SECONDS = 90


def test_after_an_order_the_auditor_names_no_breach_by_command_and_in_its_metrics(
    healthy: Kubernetes, shop: Shop
) -> None:
    buyer = shop.buyer(1)
    order_id = buyer.accepted((PRODUCT, 1))
    seconds_until(lambda: buyer.order(order_id)["status"] == "PAID", within_seconds=60, what="the order is PAID")
    pod = pod_of(healthy, "audit")["metadata"]["name"]

    # Its exit status would be 1 with a breach, which is an error here.
    report = json.loads(healthy.execute(pod, "python3", "-m", "doorbuster.jobs.audit", "--json"))

    assert report["verdict"] == "no breach"
    assert report["looked_at"]["orders"] >= 1
    invariants = set(report["invariants"])
    lines = {f'audit_breaches{{invariant="{name}"}} 0.0' for name in invariants}
    seconds_until(
        lambda: lines <= set(healthy.execute(pod, "python3", "-c", METRICS).splitlines()),
        within_seconds=SEEN_SECONDS,
        what="all invariants at 0",
    )
