from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from confluent_kafka.admin import AdminClient
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra.kafka.groups import ConsumerGroups
from doorbuster.infra.kafka.lag import KafkaState
from doorbuster.infra.kafka.topics_admin import TopicPlan, TopicsDiffer
from doorbuster.infra.outbox import topics_growth
from doorbuster.infra.outbox.outbox_backlog import Backlog
from doorbuster.settings import KafkaSettings

LARGER = (TopicPlan(name="order-created", partitions=6, replication_factor=1),)
KNOWN = KafkaState(brokers=1, partitions={}, groups={}, unanswered=[])
UNKNOWN = KafkaState(brokers=1, partitions={}, groups={}, unanswered=["end of 3 partitions"])


class NoDatabase:
    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        yield AsyncConnection.__new__(AsyncConnection)


async def growth(monkeypatch: pytest.MonkeyPatch, answers: Sequence[KafkaState]) -> int:
    """Ask whether the topic may grow while Kafka answers so, the last way for ever; return how many answers it gave."""
    given = 0

    async def state(_admin: AdminClient, _groups: ConsumerGroups) -> KafkaState:
        nonlocal given
        given += 1
        return answers[min(given, len(answers)) - 1]

    async def three(_admin: AdminClient) -> dict[str, int]:
        return {"order-created": 3}

    async def nothing(_connection: AsyncConnection) -> Backlog:
        return Backlog(rows=0, oldest_age_seconds=0.0)

    monkeypatch.setattr(topics_growth, "read_state", state)
    monkeypatch.setattr(topics_growth, "partition_counts", three)
    monkeypatch.setattr(topics_growth, "measure", nothing)
    monkeypatch.setattr(topics_growth, "SECONDS_BETWEEN_QUESTIONS", 0.0)
    nobody = ConsumerGroups(KafkaSettings(servers="nowhere"))
    await topics_growth.refuse_growth_while_anything_waits(NoDatabase(), AdminClient({}), nobody, LARGER)
    return given


async def test_it_asks_until_kafka_answers_in_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await growth(monkeypatch, [UNKNOWN, UNKNOWN, KNOWN]) == 3


async def test_what_kafka_never_says_is_no_leave_to_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TopicsDiffer, match=r"Kafka didn.t say how much waits in its topics \(end of 3 partitions\)"):
        await growth(monkeypatch, [UNKNOWN])
