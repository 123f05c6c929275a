import pytest

from tests.integration.kafka.cluster import AcknowledgedMessages, KafkaCluster
from tests.integration.polling import seconds_until

pytestmark = pytest.mark.integration


def test_a_single_node_serves_without_replicas(single: KafkaCluster) -> None:
    single.create_topic("orders", partitions=3)
    messages = AcknowledgedMessages(single, "orders")

    messages.send(["one", "two"])
    messages.settle()

    assert sorted(single.values("orders", partitions=3)) == ["one", "two"]
    assert single.replicas_in_sync("orders") == [1, 1, 1]


def test_a_volume_of_another_cluster_is_refused(single: KafkaCluster) -> None:
    node = single.pods[0]
    node.stop_container("kafka")
    node.replace_in_data("kafka/meta.properties", "cluster.id=.*", "cluster.id=MkU3OEVBNTcwNTJENDM2Qg")

    node.start_container("kafka")
    seconds_until(lambda: node.exit_code("kafka") == 1, within_seconds=20, what="a refusal")

    assert (
        "refusing to start: the volume has cluster.id 'MkU3OEVBNTcwNTJENDM2Qg', "
        "this node has '5f0c8c1f3a9b7d2e4c6a1A'." in node.logs("kafka")
    )


def test_a_volume_of_another_node_is_refused(single: KafkaCluster) -> None:
    node = single.pods[0]
    node.stop_container("kafka")
    node.replace_in_data("kafka/meta.properties", "node.id=.*", "node.id=7")

    node.start_container("kafka")
    seconds_until(lambda: node.exit_code("kafka") == 1, within_seconds=20, what="a refusal")

    assert "the volume has node.id '7', this node has '0'." in node.logs("kafka")


def test_formatting_that_was_cut_short_is_repeated(single: KafkaCluster) -> None:
    node = single.pods[0]
    node.stop_container("kafka")
    node.remove_data("kafka/meta.properties")

    node.start_container("kafka")

    assert single.until_complete(60) < 60
