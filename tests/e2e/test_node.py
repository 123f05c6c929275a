"""The whole machine stops and starts: everything comes back by itself, with what was acknowledged."""

import time
from collections.abc import Sequence

from doorbuster_cluster.commands.session import Session
from tests.e2e.conftest import HEALING_SECONDS, Figures
from tests.e2e.kubernetes import Kubernetes, Object
from tests.e2e.test_mysql import assert_on_every_member, wait_for_three
from tests.e2e.witnesses import (
    kafka_witness,
    make_topic,
    mysql_primary,
    mysql_witness,
    query_mysql,
    stored_in_kafka,
)
from tests.integration.polling import seconds_until

TABLE = "doorbuster.node_restart"
TOPIC = "e2e-node-restart"
STORE_PODS = 9


def test_restart_of_the_node_heals_without_a_person(healthy: Kubernetes, session: Session, figures: Figures) -> None:
    make_topic(healthy, TOPIC)
    query_mysql(healthy, mysql_primary(healthy), f"CREATE TABLE IF NOT EXISTS {TABLE} (number BIGINT PRIMARY KEY)")
    before = {pod["metadata"]["name"]: restarts(pod) for pod in store_pods(healthy)}
    assert len(before) == STORE_PODS
    with mysql_witness(healthy, TABLE) as rows, kafka_witness(healthy, TOPIC) as messages:
        # A restart ends the witnesses too, and their logs with them: what they said before is what counts.
        acknowledged_rows, acknowledged_messages = rows.acknowledged(), messages.acknowledged()
        began = time.monotonic()
        session.engine.docker("restart", "--time", "5", session.cluster.node, timeout_seconds=120)
        seconds_until(
            lambda: healthy.tools.try_kubectl("get", "--raw", "/readyz").ok,
            within_seconds=120,
            what="the API server answers again",
        )
    seconds_until(
        lambda: all(restarted(pod, before) for pod in store_pods(healthy)),
        within_seconds=HEALING_SECONDS,
        what="every pod was restarted and is ready",
    )
    wait_for_three(healthy)
    figures.seconds("Node restarted: every store complete again", time.monotonic() - began)
    assert_on_every_member(healthy, TABLE, acknowledged_rows)
    assert acknowledged_messages - stored_in_kafka(healthy, TOPIC) == set()


def store_pods(kubernetes: Kubernetes) -> Sequence[Object]:
    """Return the pods of MySQL, Redis and Kafka."""
    stores = "app.kubernetes.io/component in (mysql,redis,kafka)"
    return kubernetes.list("pods", stores)


def restarts(pod: Object) -> int:
    """Return how often the pod's containers were started again."""
    return sum(status["restartCount"] for status in pod["status"]["containerStatuses"])


def restarted(pod: Object, before: dict[str, int]) -> bool:
    """Return whether each container was started again and is ready; what the API server remembers may be older."""
    statuses = pod["status"]["containerStatuses"]
    wanted = before[pod["metadata"]["name"]] + len(statuses)
    return restarts(pod) >= wanted and all(status["ready"] for status in statuses)
