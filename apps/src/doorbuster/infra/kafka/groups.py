"""Asks Kafka's brokers about consumer groups: which there are, how many members each has, what they have committed.

Not by librdkafka: its requests to coordinators end the whole process, or are never answered again, when a broker goes
away at the wrong moment (ADR 0024). Here every broker is asked, and who coordinates a group is who answers.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import BrokerResponseError, KafkaError, NodeNotReadyError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from aiokafka.protocol.api import Request, Response

from doorbuster.infra.kafka.outcomes import outcomes
from doorbuster.infra.kafka.stable_offset_fetch import StableOffsetFetch
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings

Partition = tuple[str, int]
K = TypeVar("K")
T = TypeVar("T")

# Of one step: a connection, or a request.
STEP_SECONDS = 3.0
# Of a question about one group, whatever steps it takes.
QUESTION_SECONDS = 5.0
METADATA_SECONDS = 10.0
_NO_ANSWER = (KafkaError, OSError, TimeoutError)


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
        self._connecting: asyncio.Task[AIOKafkaClient] | None = None

    async def read(self) -> KnownGroups:
        """Return what all brokers say; each tells of the groups that it coordinates.

        Raises:
            BrokerUnavailable: none answers.
        """
        client = await self._connected()
        told, refused = await outcomes(
            {f"broker {each}": _groups_of(client, each) for each in _brokers(client)}, _NO_ANSWER
        )
        if not told:
            await self._drop(client, refused.values())
            raise BrokerUnavailable(f"no broker says which groups there are: {'; '.join(_sentences(refused))}")
        times_named = Counter(name for each in told.values() for name in each.groups)
        # One of the two coordinates it no more and doesn't know it yet.
        twice = sorted(name for name, times in times_named.items() if times > 1)
        return KnownGroups(
            groups={name: group for each in told.values() for name, group in each.groups.items() if name not in twice},
            unanswered=[
                *_sentences(refused),
                *(sentence for each in told.values() for sentence in each.unanswered),
                *(f"group {name}: two brokers coordinate it" for name in twice),
            ],
        )

    async def committed(self, group: str) -> Mapping[Partition, int]:
        """Return the next offset that a group will read, by topic and partition (R15).

        A partition of which the group has committed nothing is absent; so are all of them for one that nobody knows.

        Raises:
            BrokerUnavailable: no answer in time, or none that says anything.
        """
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                return await self._first_committed(str(group))
        except TimeoutError as exc:
            raise BrokerUnavailable(f"the offsets of {group} were not said within {QUESTION_SECONDS:.0f} s") from exc

    async def close(self) -> None:
        """Close all connections; the next question opens new ones."""
        connecting, self._connecting = self._connecting, None
        if connecting is None:
            return
        connecting.cancel()
        await asyncio.wait([connecting])
        if not connecting.cancelled() and connecting.exception() is None:
            await connecting.result().close()

    async def _first_committed(self, group: str) -> Mapping[Partition, int]:
        client = await self._connected()
        answer, refused = await _first({f"broker {each}": _committed(client, each, group) for each in _brokers(client)})
        if answer is None:
            await self._drop(client, refused.values())
            raise BrokerUnavailable(f"the offsets of {group} are not known: {'; '.join(_sentences(refused))}")
        return answer

    async def _connected(self) -> AIOKafkaClient:
        """Return the client; all that ask meanwhile wait for the same connection, and share its failure."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(_connect(self._settings))
        connecting = self._connecting
        try:
            return await asyncio.shield(connecting)
        except BrokerUnavailable:
            if self._connecting is connecting:
                self._connecting = None
            raise
        except asyncio.CancelledError:
            if not connecting.cancelled():
                raise
            raise BrokerUnavailable("the client was closed meanwhile") from None

    async def _drop(self, client: AIOKafkaClient, refused: Iterable[Exception]) -> None:
        """Close the client when no broker has answered it; a refusal is an answer."""
        if any(isinstance(each, BrokerResponseError) for each in refused):
            return
        current = self._connecting
        if current is not None and current.done() and current.result() is client:
            await self.close()


async def _connect(settings: KafkaSettings) -> AIOKafkaClient:
    client = AIOKafkaClient(
        bootstrap_servers=settings.servers,
        request_timeout_ms=int(STEP_SECONDS * 1000),
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
    listed = await _ask(client, broker, ListGroupsRequest())
    _raise_for(listed.error_code)
    told, refused = await outcomes({name: _group(client, broker, name) for name, _ in listed.groups}, _NO_ANSWER)
    return KnownGroups(groups=told, unanswered=[f"group {sentence}" for sentence in _sentences(refused)])


async def _group(client: AIOKafkaClient, broker: int, name: str) -> KnownGroup:
    # In this order: whoever has told the offsets has taken the group over in whole.
    committed = await _committed(client, broker, name)
    return KnownGroup(members=await _members(client, broker, name), committed=committed)


async def _committed(client: AIOKafkaClient, broker: int, group: str) -> Mapping[Partition, int]:
    answer = await _ask(client, broker, StableOffsetFetch(group))
    # Without this, the refusal of a broker that doesn't coordinate the group reads as a group without offsets.
    _raise_for(answer.error_code)
    committed: dict[Partition, int] = {}
    for topic, rows, _ in answer.topics:
        for partition, offset, _, _, error_code, _ in rows:
            _raise_for(error_code)
            # Where nothing is committed, the offset is a negative number with a meaning of its own.
            if offset >= 0:
                committed[topic, partition] = offset
    return committed


async def _members(client: AIOKafkaClient, broker: int, group: str) -> int:
    # One group a request: aiokafka 0.14 can't read an answer about two of them.
    answer = await _ask(client, broker, DescribeGroupsRequest([group]))
    ((error_code, _, _, _, _, members, *_),) = answer.groups
    _raise_for(error_code)
    return len(members)


async def _ask(client: AIOKafkaClient, broker: int, question: Request) -> Response:
    try:
        return await client.send(broker, question)
    except KeyError as exc:
        # The client looks up a connection that it has given up meanwhile.
        raise NodeNotReadyError("the connection was given up") from exc


async def _first(asked: Mapping[K, Coroutine[Any, Any, T]]) -> tuple[T | None, Mapping[K, Exception]]:
    """Return the first answer, or None and why there is none; who hasn't answered by then isn't waited for."""
    tasks = {asyncio.create_task(each): key for key, each in asked.items()}
    refused: dict[K, Exception] = {}
    waiting = set(tasks)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                try:
                    return task.result(), refused
                except _NO_ANSWER as exc:
                    refused[tasks[task]] = exc
        return None, {key: refused[key] for key in asked}
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _raise_for(error_code: int) -> None:
    if error_code:
        raise for_code(error_code)


def _sentences(refused: Mapping[str, Exception]) -> Sequence[str]:
    return [f"{who}: {_cause(error)}" for who, error in refused.items()]


def _cause(error: BaseException) -> str:
    return str(error) or type(error).__name__
