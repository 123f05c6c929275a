"""What is read about consumer groups while a node is gone: nothing untrue, and everything again before it is back."""

import asyncio
import time
from collections.abc import Mapping, Sequence

import pytest
from confluent_kafka import Consumer, TopicPartition

from doorbuster.infra.kafka.groups import ConsumerGroups, KnownGroups
from doorbuster.infra.kafka.offsets import GroupOffsets
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings
from tests.integration.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.integration

TOPIC = "groups"
PARTITIONS = 3
# Enough that each node coordinates some of them.
GROUPS = tuple(f"group-{number}" for number in range(12))
# The dead node's session (18 s), and the loading of its groups by the other two.
MOVED_SECONDS = 60
BETWEEN_SECONDS = 0.2


def commit(cluster: KafkaCluster, group: str, offset: int) -> None:
    """Commit an offset of all partitions for a group, as nobody's member."""
    consumer = Consumer({**cluster.settings(), "group.id": group})
    consumer.commit(offsets=[TopicPartition(TOPIC, each, offset) for each in range(PARTITIONS)], asynchronous=False)
    consumer.close()


def offsets_of(group: str) -> Mapping[tuple[str, int], int]:
    return {(TOPIC, each): GROUPS.index(group) + 1 for each in range(PARTITIONS)}


async def read_until_complete(groups: ConsumerGroups) -> Sequence[KnownGroups]:
    """Return all readings up to the first one with all groups in which every question was answered."""
    readings: list[KnownGroups] = []
    deadline = time.monotonic() + MOVED_SECONDS
    while time.monotonic() < deadline:
        try:
            reading = await groups.read()
        except BrokerUnavailable as exc:
            reading = KnownGroups(groups={}, unanswered=[str(exc)])
        readings.append(reading)
        if not reading.unanswered and reading.groups.keys() >= set(GROUPS):
            return readings
        await asyncio.sleep(BETWEEN_SECONDS)
    raise AssertionError(f"after {MOVED_SECONDS} s: {readings[-1]}")


async def test_groups_are_read_while_a_node_is_gone_and_after_it_came_back(three: KafkaCluster) -> None:
    three.create_topic(TOPIC, partitions=PARTITIONS)
    for group in GROUPS:
        commit(three, group, GROUPS.index(group) + 1)
    asked = ConsumerGroups(KafkaSettings(servers=three.settings()["bootstrap.servers"]))
    try:
        before = await read_until_complete(asked)
        three.pods[1].kill()
        without = await _until_moved(asked)
        three.pods[1].start()
        await asyncio.to_thread(three.until_complete, 120)
        after = await read_until_complete(asked)
    finally:
        await asked.close()

    for reading in (*before, *without, *after):
        for name in reading.groups.keys() & set(GROUPS):
            assert reading.groups[name].committed == offsets_of(name)
            assert reading.groups[name].members == 0


async def _until_moved(asked: ConsumerGroups) -> Sequence[KnownGroups]:
    """Return what was read until the dead node's groups were known again, each of them by itself, too."""
    readings = await read_until_complete(asked)
    for group in GROUPS:
        committed = await GroupOffsets(asked).committed(group, TOPIC)
        assert committed == {place: offset for (_, place), offset in offsets_of(group).items()}
    return readings
