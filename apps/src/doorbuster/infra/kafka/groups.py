"""Asks Kafka's brokers about consumer groups: which there are, how many members each has, what they have committed.

Not by librdkafka: its requests to coordinators end the whole process, or are never answered again, when a broker goes
away at the wrong moment (ADR 0024). Each request here goes to one broker and has a limit of its own.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest

from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings

Partition = tuple[str, int]
K = TypeVar("K")
T = TypeVar("T")

REQUEST_SECONDS = 3.0
METADATA_SECONDS = 10.0
_KIND_GROUP = 0
# The client looks for a connection that it has just given up; it means the same as its own error.
_NO_ANSWER = (KafkaError, OSError, TimeoutError, KeyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGroup:
    """What a broker says of one group: its members, and the next offset that it will read, by partition."""

    members: int
    committed: Mapping[Partition, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGroups:
    """The groups by name, and a sentence for each question that has no answer."""

    groups: Mapping[str, KnownGroup]
    unanswered: Sequence[str]


class ConsumerGroups:
    """Asks the brokers; connects when it is asked first, and anew after no broker answered."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._client: AIOKafkaClient | None = None
        self._connecting = asyncio.Lock()

    async def read(self) -> KnownGroups:
        """Return what all brokers say; each tells of the groups that it coordinates.

        Raises:
            BrokerUnavailable: none answers.
        """
        client = await self._connected()
        told, silent = await _outcomes({f"broker {each}": _groups_of(client, each) for each in _brokers(client)})
        if not told:
            await self.close()
            raise BrokerUnavailable(f"no broker says which groups there are: {'; '.join(_sentences(silent))}")
        return KnownGroups(
            groups={name: group for each in told.values() for name, group in each.groups.items()},
            unanswered=[*_sentences(silent), *(sentence for each in told.values() for sentence in each.unanswered)],
        )

    async def committed(self, group: str) -> Mapping[Partition, int]:
        """Return the next offset that a group will read, by partition; nothing where it has committed nothing.

        Raises:
            BrokerUnavailable: no answer, or one that says nothing.
        """
        client = await self._connected()
        coordinator = await self._coordinator(client, group)
        try:
            return await _committed(client, coordinator, group)
        except _NO_ANSWER as exc:
            raise BrokerUnavailable(f"the offsets of {group} are not known: {_cause(exc)}") from exc

    async def close(self) -> None:
        """Close all connections; the next question opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connected(self) -> AIOKafkaClient:
        async with self._connecting:
            if self._client is None:
                self._client = await _connect(self._settings)
            return self._client

    async def _coordinator(self, client: AIOKafkaClient, group: str) -> int:
        """Return the broker that coordinates a group, as the first one says that knows it."""
        silent: dict[str, str] = {}
        for broker in _brokers(client):
            try:
                answer = await client.send(broker, FindCoordinatorRequest(str(group), _KIND_GROUP))
                _raise_for(answer.error_code)
            except _NO_ANSWER as exc:
                silent[f"broker {broker}"] = _cause(exc)
            else:
                return int(answer.coordinator_id)
        await self.close()
        raise BrokerUnavailable(f"no broker says who coordinates {group}: {'; '.join(_sentences(silent))}")


async def _connect(settings: KafkaSettings) -> AIOKafkaClient:
    client = AIOKafkaClient(
        bootstrap_servers=settings.servers,
        request_timeout_ms=int(REQUEST_SECONDS * 1000),
        metadata_max_age_ms=int(METADATA_SECONDS * 1000),
    )
    try:
        await client.bootstrap()
    except BaseException as exc:
        await client.close()
        if isinstance(exc, _NO_ANSWER):
            raise BrokerUnavailable(f"Kafka can't be reached: {_cause(exc)}") from exc
        raise
    return client


def _brokers(client: AIOKafkaClient) -> Sequence[int]:
    return sorted(broker.nodeId for broker in client.cluster.brokers())


async def _groups_of(client: AIOKafkaClient, broker: int) -> KnownGroups:
    """Return the groups that one broker coordinates; raises one of `_NO_ANSWER` when it doesn't say which."""
    listed = await client.send(broker, ListGroupsRequest())
    _raise_for(listed.error_code)
    told, silent = await _outcomes({name: _group(client, broker, name) for name, _ in listed.groups})
    return KnownGroups(groups=told, unanswered=[f"group {sentence}" for sentence in _sentences(silent)])


async def _group(client: AIOKafkaClient, broker: int, name: str) -> KnownGroup:
    committed, members = await asyncio.gather(_committed(client, broker, name), _members(client, broker, name))
    return KnownGroup(members=members, committed=committed)


async def _committed(client: AIOKafkaClient, broker: int, group: str) -> Mapping[Partition, int]:
    answer = await client.send(broker, OffsetFetchRequest(str(group), partitions=None))
    # Without this, the refusal of a broker that doesn't coordinate the group reads as a group without offsets.
    _raise_for(answer.error_code)
    committed: dict[Partition, int] = {}
    for topic, rows in answer.topics:
        for partition, offset, _, error_code in rows:
            _raise_for(error_code)
            # Where nothing is committed, the offset is a negative number with a meaning of its own.
            if offset >= 0:
                committed[topic, partition] = offset
    return committed


async def _members(client: AIOKafkaClient, broker: int, group: str) -> int:
    # One group a request: aiokafka 0.14 can't read an answer about two of them.
    answer = await client.send(broker, DescribeGroupsRequest([group]))
    ((error_code, _, _, _, _, members, *_),) = answer.groups
    _raise_for(error_code)
    return len(members)


async def _outcomes(asked: Mapping[K, Awaitable[T]]) -> tuple[Mapping[K, T], Mapping[K, str]]:
    """Return the answers, and why there is no other one; raises what is none of `_NO_ANSWER`."""
    outcomes = await asyncio.gather(*asked.values(), return_exceptions=True)
    told: dict[K, T] = {}
    silent: dict[K, str] = {}
    for key, outcome in zip(asked, outcomes, strict=True):
        if not isinstance(outcome, BaseException):
            told[key] = outcome
        elif isinstance(outcome, _NO_ANSWER):
            silent[key] = _cause(outcome)
        else:
            raise outcome
    return told, silent


def _raise_for(error_code: int) -> None:
    if error_code:
        raise for_code(error_code)


def _sentences(silent: Mapping[str, str]) -> Sequence[str]:
    return [f"{who}: {cause}" for who, cause in silent.items()]


def _cause(error: BaseException) -> str:
    return str(error) or type(error).__name__
