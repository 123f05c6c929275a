import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not listed as its own, though documented so
    AdminClient,
    ConfigResource,
)

from doorbuster.contracts.topics import Topic
from doorbuster.infra.kafka.clients import admin_client
from doorbuster.infra.kafka.topics_admin import (
    TopicNotMade,
    TopicPlan,
    TopicsDiffer,
    TopicsMade,
    make_topics,
    partition_counts,
    plans,
)
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings, Settings
from tests.ports import free_port

pytestmark = pytest.mark.integration

DAY_MILLISECONDS = 24 * 60 * 60 * 1000


@pytest.fixture
def admin(settings: Settings) -> AdminClient:
    return admin_client(settings.kafka)


@pytest.fixture
async def name(admin: AdminClient) -> AsyncIterator[str]:
    name = f"test-{uuid4()}"
    yield name
    await asyncio.wait_for(asyncio.wrap_future(admin.delete_topics([name])[name]), 30)


def plan(name: str, partitions: int = 2) -> TopicPlan:
    return TopicPlan(name=name, partitions=partitions, replication_factor=1)


async def test_a_missing_topic_is_made(admin: AdminClient, name: str) -> None:
    made = await make_topics(admin, [plan(name)])

    assert made == TopicsMade(created=[name], grown=[])
    assert (await partition_counts(admin))[name] == 2


async def test_records_are_kept_for_three_days(admin: AdminClient, name: str) -> None:
    await make_topics(admin, [plan(name)])

    resource = ConfigResource(ConfigResource.Type.TOPIC, name)
    described = await asyncio.wrap_future(admin.describe_configs([resource])[resource])
    assert int(described["retention.ms"].value) == 3 * DAY_MILLISECONDS


async def test_making_topics_again_changes_nothing(admin: AdminClient, name: str) -> None:
    await make_topics(admin, [plan(name)])

    assert await make_topics(admin, [plan(name)]) == TopicsMade(created=[], grown=[])


async def test_two_may_make_the_same_topic_at_once(admin: AdminClient, name: str) -> None:
    await asyncio.gather(*(make_topics(admin, [plan(name)]) for _ in range(4)))

    assert (await partition_counts(admin))[name] == 2


async def test_another_number_of_partitions_is_refused(admin: AdminClient, name: str) -> None:
    await make_topics(admin, [plan(name)])

    with pytest.raises(TopicsDiffer, match=f"{name} has 2, asked for 3.*allowGrow"):
        await make_topics(admin, [plan(name, 3)])
    assert (await partition_counts(admin))[name] == 2


async def test_more_partitions_are_made_when_that_is_allowed(admin: AdminClient, name: str) -> None:
    await make_topics(admin, [plan(name)])

    assert await make_topics(admin, [plan(name, 3)], allow_grow=True) == TopicsMade(created=[], grown=[name])
    assert (await partition_counts(admin))[name] == 3


async def test_fewer_partitions_are_always_refused(admin: AdminClient, name: str) -> None:
    await make_topics(admin, [plan(name)])

    with pytest.raises(TopicsDiffer, match="can't take partitions away"):
        await make_topics(admin, [plan(name, 1)], allow_grow=True)


async def test_what_kafka_refuses_is_said_with_its_reason(admin: AdminClient) -> None:
    with pytest.raises(TopicNotMade, match="replication"):
        await make_topics(admin, [TopicPlan(name=f"test-{uuid4()}", partitions=1, replication_factor=9)])


async def test_without_kafka_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorbuster.infra.kafka.topics_admin.REQUEST_SECONDS", 0.5)
    nowhere = admin_client(KafkaSettings(servers=f"127.0.0.1:{free_port()}"))

    with pytest.raises(BrokerUnavailable):
        await make_topics(nowhere, [plan("t")])


def test_each_topic_has_a_dead_letter_topic_with_one_partition() -> None:
    wanted = {each.name: each.partitions for each in plans(partitions=12, replication_factor=3)}

    counts = {topic.value: 12 for topic in Topic} | {"coupon-issued": 10}
    assert wanted == counts | {f"{topic.value}.dlt": 1 for topic in Topic}
