"""The chart's Kafka as containers, started by the chart's own script; clients reach the nodes by their addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not listed as its own, though documented so
    AdminClient,
    ConfigResource,
    ConfigSource,
)
from confluent_kafka.cimpl import NewTopic

from tests.integration.pods import ContainerPlan, Pod, PodNetwork
from tests.integration.polling import seconds_until

SCRIPTS = Path(__file__).parents[3] / "charts" / "data" / "files" / "kafka"
CLUSTER_ID = "5f0c8c1f3a9b7d2e4c6a1A"
ANSWER_SECONDS = 5
# A broker that died is declared dead after 18 s (broker.session.timeout.ms); only then do its partitions move.
DELIVERY_SECONDS = 90
USER = "1000:1000"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaCluster:
    """All nodes of one StatefulSet."""

    pods: Sequence[Pod]

    def settings(self) -> dict[str, Any]:
        """What every client needs to find the cluster."""
        return {
            "bootstrap.servers": ",".join(f"{pod.address}:9092" for pod in self.pods),
            # Errors of brokers that were killed on purpose belong to the test, not to its output.
            "log_level": 0,
            "reconnect.backoff.max.ms": 1000,
        }

    def admin(self) -> AdminClient:
        """An administration client."""
        return AdminClient(self.settings())

    def until_complete(self, within_seconds: float) -> float:
        """Seconds until all nodes are brokers of the cluster, and every partition has all of its replicas in sync."""
        return seconds_until(self._complete, within_seconds=within_seconds, what="all nodes, all replicas in sync")

    def create_topic(self, name: str, *, partitions: int) -> None:
        """Make a topic with the cluster's own replication factor."""
        # Answers are lost with the client that asked, so it's held until they are here.
        admin = self.admin()
        (made,) = admin.create_topics([NewTopic(name, num_partitions=partitions)], request_timeout=20).values()
        made.result(timeout=40)

    def leaders(self, topic: str) -> list[int]:
        """The leader of each partition."""
        described = self.admin().list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
        return [described.partitions[number].leader for number in sorted(described.partitions)]

    def replicas_in_sync(self, topic: str) -> list[int]:
        """How many replicas of each partition are in sync."""
        described = self.admin().list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
        return [len(described.partitions[number].isrs) for number in sorted(described.partitions)]

    def setting(self, name: str) -> tuple[str, ConfigSource]:
        """A setting as the first broker has it, and where it comes from."""
        resource = ConfigResource(ConfigResource.Type.BROKER, "0")
        admin = self.admin()
        (described,) = admin.describe_configs([resource]).values()
        entry = described.result(timeout=30)[name]
        return str(entry.value), ConfigSource(entry.source)

    def values(self, topic: str, *, partitions: int) -> list[str]:
        """Every message of a topic, from its beginning to what is its end now."""
        consumer = Consumer(
            {**self.settings(), "group.id": "witness", "enable.auto.commit": False, "enable.partition.eof": False}
        )
        try:
            return [
                value
                for partition in range(partitions)
                for value in _read_partition(consumer, TopicPartition(topic, partition, 0))
            ]
        finally:
            consumer.close()

    def logs(self) -> str:
        """The output of all nodes."""
        return "\n".join(f"== {pod.name}\n{pod.logs('kafka')}" for pod in self.pods)

    def _complete(self) -> bool:
        described = self.admin().list_topics(timeout=ANSWER_SECONDS)
        partitions = [partition for topic in described.topics.values() for partition in topic.partitions.values()]
        return len(described.brokers) == len(self.pods) and all(
            len(partition.isrs) == len(partition.replicas) for partition in partitions
        )


class AcknowledgedMessages:
    """A producer that remembers which of its messages the cluster acknowledged."""

    def __init__(self, cluster: KafkaCluster, topic: str) -> None:
        self.acknowledged: list[str] = []
        self.failed: list[str] = []
        self._topic = topic
        self._producer = Producer(
            {
                **cluster.settings(),
                "acks": "all",
                "enable.idempotence": True,
                "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
                "linger.ms": 5,
                # An unknown topic fails soon.
                "topic.metadata.propagation.max.ms": 5000,
            }
        )

    def send(self, values: Sequence[str]) -> None:
        """Hand the values to the producer; `settle` waits for their outcomes."""
        for value in values:
            self._producer.produce(self._topic, value=value.encode(), key=value.encode(), on_delivery=self._note)
            self._producer.poll(0)

    def settle(self) -> None:
        """Wait until every value was acknowledged or failed.

        Raises:
            AssertionError: some have neither outcome after the time that the producer gives itself.
        """
        assert self._producer.flush(DELIVERY_SECONDS + 10) == 0

    def _note(self, error: object, message: Message) -> None:
        value = message.value()
        assert value is not None
        (self.failed if error else self.acknowledged).append(value.decode())


def kafka_pods(*, network: PodNetwork, image: str, count: int, cluster_id: str = CLUSTER_ID) -> list[Pod]:
    """The pods as the StatefulSet makes them; none is created yet."""
    voters = ",".join(f"{node}@{network.address(node)}:9093" for node in range(count))
    return [
        Pod(
            name=f"kafka-{node}",
            address=network.address(node),
            network=network,
            image=image,
            user=USER,
            plans={
                "kafka": ContainerPlan(
                    command=["bash", "/scripts/start.sh"],
                    environment={
                        **node_environment(f"kafka-{node}", network.address(node), voters, count=count),
                        "KAFKA_CLUSTER_ID": cluster_id,
                    },
                    mounts={SCRIPTS: "/scripts"},
                    writable=["/tmp"],
                    memory="896m",
                )
            },
        )
        for node in range(count)
    ]


def node_environment(name: str, host: str, voters: str, *, count: int) -> dict[str, str]:
    """The environment of one node; the rendering tests compare its names with the chart's."""
    return {
        "POD_NAME": name,
        "KAFKA_CLUSTER_ID": CLUSTER_ID,
        "KAFKA_VOTERS": voters,
        "KAFKA_ADVERTISED_HOST": host,
        "KAFKA_REPLICATION_FACTOR": str(count),
        "KAFKA_MIN_INSYNC_REPLICAS": "2" if count > 1 else "1",
        "KAFKA_DEFAULT_PARTITIONS": "3",
        "KAFKA_HEAP": "256m",
        "KAFKA_JAVA_OPTIONS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    }


def _read_partition(consumer: Consumer, start: TopicPartition) -> list[str]:
    end = _end_of(consumer, start)
    consumer.assign([start])
    found: list[str] = []
    position = 0

    def read_on() -> bool:
        nonlocal position
        for message in consumer.consume(1000, timeout=1):
            if (value := message.value()) is not None and message.error() is None:
                found.append(value.decode())
                position = (message.offset() or 0) + 1
        return position >= end

    seconds_until(read_on, within_seconds=60, what=f"the end of {start.topic} {start.partition}")
    return found


def _end_of(consumer: Consumer, start: TopicPartition) -> int:
    ends: list[int] = []

    def known() -> bool:
        # A partition that moves has no leader for a moment.
        ends.append(consumer.get_watermark_offsets(start, timeout=ANSWER_SECONDS)[1])
        return True

    seconds_until(known, within_seconds=60, what=f"a leader of {start.topic} {start.partition}")
    return ends[-1]
