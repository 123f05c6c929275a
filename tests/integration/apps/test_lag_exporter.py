import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import murmur2
from prometheus_client import CollectorRegistry

from doorbuster.contracts.topics import Group
from doorbuster.infra.kafka.clients import admin_client
from doorbuster.infra.kafka.groups import ConsumerGroups
from doorbuster.infra.kafka.lag import read_state
from doorbuster.infra.kafka.lag_collector import KafkaCollector, keep_reading
from doorbuster.infra.kafka.producer import Producer
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings, Settings
from tests.integration.apps.relays import reached
from tests.integration.apps.topic_reader import own_topic
from tests.integration.commits import commit_for
from tests.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def kafka(settings: Settings) -> KafkaSettings:
    return settings.kafka


@pytest.fixture
def admin(kafka: KafkaSettings) -> AdminClient:
    return admin_client(kafka)


@pytest.fixture
async def groups(kafka: KafkaSettings) -> AsyncIterator[ConsumerGroups]:
    asked = ConsumerGroups(kafka)
    yield asked
    await asked.close()


@pytest.fixture
async def topic(kafka: KafkaSettings) -> AsyncIterator[str]:
    """A topic of three partitions with ten messages in each."""
    with own_topic(kafka) as name:
        producer = Producer.connect(kafka)
        keys = _keys_of_each_partition()
        await asyncio.gather(*(producer.send(name, key=key, value=b"v") for key in keys for _ in range(10)))
        await producer.close()
        yield name


@pytest.fixture
async def group(admin: AdminClient, kafka: KafkaSettings, topic: str) -> AsyncIterator[str]:
    """A group that has committed 4 in the first partition and 10 in the second."""
    name = f"test-{uuid4()}"
    await asyncio.to_thread(commit_for, kafka.servers, name, {(topic, 0): 4, (topic, 1): 10})
    yield name
    await asyncio.wait_for(asyncio.wrap_future(admin.delete_consumer_groups([name])[name]), 30)


def _keys_of_each_partition() -> list[bytes]:
    found: dict[int, bytes] = {}
    for number in range(100):
        found.setdefault(murmur2(b"%d" % number, 3), b"%d" % number)
    return list(found.values())


@pytest.fixture
def member(kafka: KafkaSettings, topic: str) -> Iterator[str]:
    """A group with one member; what it has is one partition or more."""
    name = f"test-{uuid4()}"
    consumer = Consumer(
        {"bootstrap.servers": kafka.servers, "group.id": name, "auto.offset.reset": "earliest", "log_level": 0}
    )
    consumer.subscribe([topic])
    assert consumer.poll(30) is not None
    yield name
    consumer.close()


async def test_lag_is_log_end_minus_committed_offset(
    admin: AdminClient, groups: ConsumerGroups, topic: str, group: str
) -> None:
    state = await read_state(admin, groups)

    assert state.groups[group].committed == {(topic, 0): 4, (topic, 1): 10}
    assert state.groups[group].lag == {(topic, 0): 6, (topic, 1): 0}
    assert [state.partitions[topic, number].end for number in range(3)] == [10, 10, 10]
    assert state.complete


async def test_members_of_a_group_are_counted(admin: AdminClient, groups: ConsumerGroups, member: str) -> None:
    state = await read_state(admin, groups)

    assert state.groups[member].members == 1


async def test_committed_offsets_are_those_of_one_group(groups: ConsumerGroups, topic: str, group: str) -> None:
    assert await groups.committed(group) == {(topic, 0): 4, (topic, 1): 10}


@pytest.mark.usefixtures("group")  # with the first commit Kafka makes the topic of all of them
async def test_a_group_that_nobody_knows_has_committed_nothing(groups: ConsumerGroups, topic: str) -> None:
    assert await groups.committed(f"test-{uuid4()}") == {}
    # Members of an enumeration are how our own groups are named.
    assert topic not in {name for name, _ in await groups.committed(Group.EXTERNAL_DATA)}


async def test_what_was_read_is_served_as_kafka_exporter_serves_it(
    admin: AdminClient, groups: ConsumerGroups, topic: str, group: str
) -> None:
    collector = KafkaCollector()
    registry = CollectorRegistry()
    registry.register(collector)
    stop = asyncio.Event()
    reading = asyncio.create_task(keep_reading(admin, groups, collector, stop=stop, tick_seconds=0.5))
    labels = {"consumergroup": group, "topic": topic, "partition": "0"}
    await reached(lambda: registry.get_sample_value("kafka_consumergroup_lag", labels) == 6, "the lag is served")
    stop.set()
    await reading

    assert registry.get_sample_value("kafka_consumergroup_current_offset", labels) == 4
    assert registry.get_sample_value("kafka_consumergroup_members", {"consumergroup": group}) == 0
    assert registry.get_sample_value("kafka_topic_partitions", {"topic": topic}) == 3


async def test_without_kafka_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorbuster.infra.kafka.lag.ADMIN_REQUEST_SECONDS", 0.5)
    nowhere = KafkaSettings(servers=f"127.0.0.1:{free_port()}")
    groups = ConsumerGroups(nowhere)

    with pytest.raises(BrokerUnavailable, match="which topics there are"):
        await read_state(admin_client(nowhere), groups)
    with pytest.raises(BrokerUnavailable, match="can't be reached"):
        await groups.read()
    with pytest.raises(BrokerUnavailable, match="can't be reached"):
        await groups.committed("g")
