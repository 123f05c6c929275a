import logging
import time

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigSource  # type: ignore[attr-defined]  # documented as its own

from tests.integration.kafka.cluster import AcknowledgedMessages, KafkaCluster

pytestmark = pytest.mark.integration

log = logging.getLogger(__name__)

PARTITIONS = 6
# The dead node's session (18 s), the move of its partitions, and its return.
COMPLETE_SECONDS = 120
# Java's exit code after the signal to stop; 137 would be a kill.
AFTER_SIGTERM = 143


def test_a_topic_gets_three_replicas_of_which_two_must_have_a_message(three: KafkaCluster) -> None:
    three.create_topic("settings", partitions=PARTITIONS)

    assert three.replicas_in_sync("settings") == [3] * PARTITIONS
    # With eligible leader replicas only the setting of the whole cluster counts, not that in each broker's file.
    assert three.setting("min.insync.replicas") == ("2", ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG)


def test_an_unknown_topic_isnt_made_by_writing_to_it(three: KafkaCluster) -> None:
    messages = AcknowledgedMessages(three, "nobody-made-this")

    messages.send(["lost"])
    messages.settle()

    assert (messages.acknowledged, messages.failed) == ([], ["lost"])


def test_nothing_acknowledged_is_lost_with_one_node(three: KafkaCluster) -> None:
    three.create_topic("one-node", partitions=PARTITIONS)
    messages = AcknowledgedMessages(three, "one-node")
    victim = three.leaders("one-node")[0]
    messages.send([f"before-{number}" for number in range(2000)])

    started = time.monotonic()
    three.pods[victim].kill()
    messages.send([f"during-{number}" for number in range(2000)])
    messages.settle()
    log.info("all acknowledged %.1f s after the kill", time.monotonic() - started)
    three.pods[victim].start()
    log.info("complete after %.1f s", three.until_complete(COMPLETE_SECONDS))

    assert messages.failed == []
    assert set(three.values("one-node", partitions=PARTITIONS)) == set(messages.acknowledged)
    assert len(messages.acknowledged) == 4000


def test_nothing_acknowledged_is_lost_when_all_are_killed_together(three: KafkaCluster) -> None:
    three.create_topic("all-nodes", partitions=PARTITIONS)
    messages = AcknowledgedMessages(three, "all-nodes")
    messages.send([f"before-{number}" for number in range(2000)])
    messages.settle()

    for pod in three.pods:
        pod.kill()
    for pod in three.pods:
        pod.start()
    log.info("complete after %.1f s", three.until_complete(COMPLETE_SECONDS))

    assert messages.failed == []
    assert sorted(three.values("all-nodes", partitions=PARTITIONS)) == sorted(messages.acknowledged)


def test_two_nodes_gone_refuse_rather_than_lose(three: KafkaCluster) -> None:
    three.create_topic("two-nodes", partitions=PARTITIONS)
    gone = three.pods[1:]
    for pod in gone:
        pod.kill()

    with pytest.raises(KafkaException):
        three.create_topic("without-a-quorum", partitions=1)
    messages = AcknowledgedMessages(three, "two-nodes")
    messages.send(["waits"])
    for pod in gone:
        pod.start()
    three.until_complete(COMPLETE_SECONDS)
    messages.settle()

    assert messages.acknowledged == ["waits"]
    assert three.values("two-nodes", partitions=PARTITIONS) == ["waits"]


def test_a_node_stops_by_its_signal_and_hands_its_partitions_over_first(three: KafkaCluster) -> None:
    three.create_topic("stopped", partitions=PARTITIONS)
    messages = AcknowledgedMessages(three, "stopped")

    started = time.monotonic()
    three.pods[1].stop_container("kafka")
    log.info("stopped after %.1f s", time.monotonic() - started)
    exit_code = three.pods[1].exit_code("kafka")
    messages.send([f"during-{number}" for number in range(200)])
    messages.settle()
    three.pods[1].start()
    three.until_complete(COMPLETE_SECONDS)

    assert exit_code == AFTER_SIGTERM
    assert messages.failed == []
