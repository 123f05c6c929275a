"""Reads from Kafka how far every topic and every consumer group is, in few requests for all of them (P14)."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not listed as its own, though documented so
    AdminClient,
    ListOffsetsResultInfo,
    OffsetSpec,
)

from doorbuster.contracts.topics import READ_BY, Group
from doorbuster.infra.kafka.clients import ADMIN_REQUEST_SECONDS
from doorbuster.infra.kafka.groups import ConsumerGroups, Partition
from doorbuster.infra.kafka.outcomes import outcomes
from doorbuster.kernel.errors import BrokerUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionState:
    """One partition: its replicas, and its ends where they are known."""

    leader: int
    replicas: int
    in_sync: int
    oldest: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """One consumer group: its members, and committed offsets and lag in records by partition."""

    members: int
    committed: Mapping[Partition, int]
    lag: Mapping[Partition, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaState:
    """What Kafka said in one round.

    Attributes:
        unanswered: a sentence for each question without an answer; what wasn't answered is absent.
    """

    brokers: int
    partitions: Mapping[Partition, PartitionState]
    groups: Mapping[str, GroupState]
    unanswered: Sequence[str]

    @property
    def complete(self) -> bool:
        """Whether every question was answered."""
        return not self.unanswered


async def read_state(admin: AdminClient, groups: ConsumerGroups) -> KafkaState:
    """Return how far everything is.

    One request for metadata, one a broker for its groups, two for each of them, and two a broker for offsets.

    Raises:
        BrokerUnavailable: Kafka doesn't answer at all.
    """
    brokers, partitions = await _read_topics(admin)
    known = await groups.read()
    # After the commits, so that a lag is never shown smaller than it was.
    oldest, ends = await asyncio.gather(
        _read_offsets(admin, partitions, OffsetSpec.earliest()),  # type: ignore[no-untyped-call]  # it has no types
        _read_offsets(admin, partitions, OffsetSpec.latest()),  # type: ignore[no-untyped-call]  # it has no types
    )
    states = {place: replace(each, oldest=oldest.get(place), end=ends.get(place)) for place, each in partitions.items()}
    return KafkaState(
        brokers=brokers,
        partitions=states,
        groups={
            name: group_state(name, members=each.members, committed=each.committed, partitions=states)
            for name, each in known.groups.items()
        },
        unanswered=[*known.unanswered, *_unknown_offsets(states)],
    )


def group_state(
    name: str,
    *,
    members: int,
    committed: Mapping[Partition, int],
    partitions: Mapping[Partition, PartitionState],
) -> GroupState:
    """Return a group's state. What it has to read and has not begun counts in full, from the oldest offset on."""
    to_read = {place for place in partitions if place[0] in _topics_of(name)}
    lag = {
        # A position before the oldest offset is one of records that are no more.
        place: max(0, state.end - max(committed.get(place, 0), state.oldest))
        for place, state in partitions.items()
        if place in to_read | committed.keys() and state.end is not None and state.oldest is not None
    }
    return GroupState(members=members, committed=committed, lag=lag)


def _topics_of(group: str) -> Sequence[str]:
    return READ_BY[Group(group)] if group in set(Group) else ()


async def _read_topics(admin: AdminClient) -> tuple[int, Mapping[Partition, PartitionState]]:
    try:
        metadata = await asyncio.to_thread(admin.list_topics, timeout=ADMIN_REQUEST_SECONDS)
    except KafkaException as exc:
        raise BrokerUnavailable(f"Kafka doesn't say which topics there are: {exc}") from exc
    return len(metadata.brokers), {
        (name, number): PartitionState(leader=each.leader, replicas=len(each.replicas), in_sync=len(each.isrs))
        for name, topic in metadata.topics.items()
        if not name.startswith("__")
        for number, each in topic.partitions.items()
    }


async def _read_offsets(
    admin: AdminClient, partitions: Collection[Partition], which: OffsetSpec
) -> Mapping[Partition, int]:
    """Return the offsets of those partitions that have a leader who answers."""
    questions = {TopicPartition(*place): which for place in partitions}
    if not questions:
        return {}
    asked: Mapping[TopicPartition, Future[ListOffsetsResultInfo]] = admin.list_offsets(
        questions, request_timeout=ADMIN_REQUEST_SECONDS
    )
    answers, _ = await outcomes(
        {(place.topic, place.partition): asyncio.wrap_future(future) for place, future in asked.items()},
        (KafkaException,),
    )
    return {place: info.offset for place, info in answers.items()}


def _unknown_offsets(states: Mapping[Partition, PartitionState]) -> Iterator[str]:
    for what, unknown in (
        ("oldest offset", sum(each.oldest is None for each in states.values())),
        ("end", sum(each.end is None for each in states.values())),
    ):
        if unknown:
            yield f"{what} of {unknown} partitions"
