"""What Kafka acknowledged is there, whichever nodes are killed."""

from tests.e2e.conftest import Figures, PowerCut
from tests.e2e.kubernetes import Kubernetes
from tests.e2e.witnesses import kafka_witness, make_topic, stored_in_kafka

BREAKS = ("statefulset/data-kafka",)
NODES = ("data-kafka-0", "data-kafka-1", "data-kafka-2")


def test_loss_of_one_node_loses_no_acknowledged_message(
    healthy: Kubernetes, power_cut: PowerCut, figures: Figures
) -> None:
    make_topic(healthy, "e2e-one-node")
    with kafka_witness(healthy, "e2e-one-node") as witness:
        power_cut("data-kafka-1")
        figures.seconds("Kafka: 40 messages acknowledged after the kill of one node", witness.wait_for_more(
            40, within_seconds=120
        ))  # fmt: skip
        healthy.wait_ready("statefulset/data-kafka", within_seconds=180)
        acknowledged = witness.acknowledged()
    assert acknowledged - stored_in_kafka(healthy, "e2e-one-node") == set()


def test_loss_of_all_nodes_at_once_loses_no_acknowledged_message(
    healthy: Kubernetes, power_cut: PowerCut, figures: Figures
) -> None:
    make_topic(healthy, "e2e-all-nodes")
    with kafka_witness(healthy, "e2e-all-nodes") as witness:
        power_cut(*NODES)
        figures.seconds("Kafka: all nodes killed at once, ready again", healthy.wait_ready(
            "statefulset/data-kafka", within_seconds=300
        ))  # fmt: skip
        witness.wait_for_more(20, within_seconds=120)
        acknowledged = witness.acknowledged()
    assert acknowledged - stored_in_kafka(healthy, "e2e-all-nodes") == set()
