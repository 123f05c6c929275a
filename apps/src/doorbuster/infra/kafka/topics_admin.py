"""Makes the topics, and refuses to change how many partitions they have (P12)."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from doorbuster.contracts.topics import OWN_PARTITIONS, Topic, dead_letter_topic
from doorbuster.kernel.errors import BrokerUnavailable, DoorbusterError

# R12: processed ids live longer.
RETENTION = timedelta(days=3)
# What can never succeed is rare, and read by a person.
DEAD_LETTER_PARTITIONS = 1
REQUEST_SECONDS = 20.0
# Brokers learn from the controller what it has made; usually within a tenth of a second.
VISIBLE_SECONDS = 10.0
LOOK_SECONDS = 0.1

log = structlog.get_logger()


class TopicsDiffer(DoorbusterError):
    """A topic has another number of partitions than asked for, and it may not be changed."""


class TopicNotMade(DoorbusterError):
    """Kafka refused to make a topic, or to give it more partitions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """What a topic is to be."""

    name: str
    partitions: int
    replication_factor: int
    retention: timedelta = RETENTION


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsMade:
    """Names of the topics that were made, and of those that got more partitions."""

    created: Sequence[str]
    grown: Sequence[str]


def plans(*, partitions: int, replication_factor: int) -> Sequence[TopicPlan]:
    """Return a plan for every topic and for its dead-letter topic.

    Args:
        partitions: of each topic that has no number of its own; a dead-letter topic has one.
        replication_factor: of all of them.
    """
    return [
        TopicPlan(name=name, partitions=count, replication_factor=replication_factor)
        for topic in Topic
        for name, count in (
            (topic.value, OWN_PARTITIONS.get(topic, partitions)),
            (dead_letter_topic(topic), DEAD_LETTER_PARTITIONS),
        )
    ]


async def make_topics(admin: AdminClient, wanted: Sequence[TopicPlan], *, allow_grow: bool = False) -> TopicsMade:
    """Make the topics that are missing; may be repeated, also by several at once.

    More partitions may send a key elsewhere than before, so whoever allows it makes sure that nothing waits, neither in
    the outbox nor in a topic (P12).

    Args:
        admin: the cluster.
        wanted: all topics.
        allow_grow: whether a topic may get more partitions than it has.

    Raises:
        TopicsDiffer: a topic has another number of partitions; nothing was changed.
        TopicNotMade: Kafka refused; what was made stays.
        BrokerUnavailable: Kafka doesn't answer.
    """
    present = await partition_counts(admin)
    missing = [plan for plan in wanted if plan.name not in present]
    differing = [plan for plan in wanted if present.get(plan.name, plan.partitions) != plan.partitions]
    _refuse_differences(differing, present, allow_grow=allow_grow)
    await _create(admin, missing)
    await _grow(admin, differing)
    await _until_visible(admin, [*missing, *differing])
    log.info("topics_made", created=len(missing), grown=len(differing))
    return TopicsMade(created=[plan.name for plan in missing], grown=[plan.name for plan in differing])


async def partition_counts(admin: AdminClient) -> Mapping[str, int]:
    """Return the number of partitions of every topic.

    Raises:
        BrokerUnavailable: Kafka doesn't answer.
    """
    try:
        metadata = await asyncio.to_thread(admin.list_topics, timeout=REQUEST_SECONDS)
    except KafkaException as exc:
        raise BrokerUnavailable(f"Kafka doesn't say which topics there are: {exc}") from exc
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}


def _refuse_differences(differing: Iterable[TopicPlan], present: Mapping[str, int], *, allow_grow: bool) -> None:
    refused = [plan for plan in differing if not allow_grow or plan.partitions < present[plan.name]]
    if not refused:
        return
    counts = "; ".join(f"{plan.name} has {present[plan.name]}, asked for {plan.partitions}" for plan in refused)
    why = "Kafka can't take partitions away" if allow_grow else "more partitions have to be allowed (topics.allowGrow)"
    raise TopicsDiffer(f"numbers of partitions are fixed at creation: {counts}; {why}")


async def _create(admin: AdminClient, missing: Sequence[TopicPlan]) -> None:
    if not missing:
        return
    made = admin.create_topics([_new(plan) for plan in missing], request_timeout=REQUEST_SECONDS)
    await _settle(made, "made", harmless=KafkaError.TOPIC_ALREADY_EXISTS)


async def _grow(admin: AdminClient, differing: Sequence[TopicPlan]) -> None:
    if not differing:
        return
    more = [NewPartitions(plan.name, plan.partitions) for plan in differing]
    await _settle(admin.create_partitions(more, request_timeout=REQUEST_SECONDS), "given more partitions")


async def _until_visible(admin: AdminClient, changed: Sequence[TopicPlan]) -> None:
    wanted = {plan.name: plan.partitions for plan in changed}
    for _ in range(int(VISIBLE_SECONDS / LOOK_SECONDS)):
        if not wanted or wanted.items() <= (await partition_counts(admin)).items():
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise BrokerUnavailable(f"topics were changed, and brokers don't know it after {VISIBLE_SECONDS:g} s")


def _new(plan: TopicPlan) -> NewTopic:
    return NewTopic(
        plan.name,
        num_partitions=plan.partitions,
        replication_factor=plan.replication_factor,
        config={"retention.ms": str(int(plan.retention.total_seconds() * 1000)), "cleanup.policy": "delete"},
    )


async def _settle(answers: Mapping[str, Future[None]], what: str, *, harmless: int | None = None) -> None:
    """Wait for all answers, and raise for the first that is an error other than the harmless one."""
    outcomes = await asyncio.gather(*map(asyncio.wrap_future, answers.values()), return_exceptions=True)
    for name, outcome in zip(answers, outcomes, strict=True):
        if not isinstance(outcome, KafkaException):
            continue
        error: KafkaError = outcome.args[0]
        if error.code() != harmless:
            raise TopicNotMade(f"topic {name} could not be {what}: {error.str()}") from outcome
