"""What is made of brokers' answers about groups; the answers have the shape that aiokafka gives them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from aiokafka.errors import NodeNotReadyError
from aiokafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from aiokafka.protocol.api import Request

from doorbuster.infra.kafka import groups
from doorbuster.infra.kafka.groups import ConsumerGroups, KnownGroup
from doorbuster.infra.kafka.stable_offset_fetch import StableOffsetFetch
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings

NOT_COORDINATOR = 16
LOADING = 14
TEN = KnownGroup(members=1, committed={("t", 0): 10})


@dataclass
class Broker:
    """Answers as Kafka does; by default it coordinates one group that has committed 10 and has one member."""

    names: Sequence[str] = ("g",)
    list_code: int = 0
    describe_code: int = 0
    fetch_code: int = 0
    partition_code: int = 0
    offset: int = 10
    silent: bool = False
    hangs: bool = False

    def answer(self, question: Request) -> object:
        if self.silent:
            raise NodeNotReadyError("gone")
        if isinstance(question, ListGroupsRequest):
            return SimpleNamespace(error_code=self.list_code, groups=[(name, "consumer") for name in self.names])
        if isinstance(question, DescribeGroupsRequest):
            return SimpleNamespace(groups=[(self.describe_code, "g", "Stable", "consumer", "range", ["a member"])])
        assert isinstance(question, StableOffsetFetch)
        row = (0, self.offset, -1, "", self.partition_code, None)
        topics = [] if self.fetch_code else [("t", [row], None)]
        return SimpleNamespace(error_code=self.fetch_code, topics=topics)


@dataclass
class Cluster:
    """A client of brokers by number."""

    of: Mapping[int, Broker]
    closed: int = 0
    connected: int = 0

    @property
    def cluster(self) -> SimpleNamespace:
        return SimpleNamespace(brokers=lambda: [SimpleNamespace(nodeId=number) for number in self.of])

    async def send(self, broker: int, question: Request) -> object:
        if self.of[broker].hangs:
            await asyncio.Event().wait()
        return self.of[broker].answer(question)

    async def close(self) -> None:
        self.closed += 1


def asked(monkeypatch: pytest.MonkeyPatch, *brokers: Broker) -> tuple[ConsumerGroups, Cluster]:
    cluster = Cluster(of=dict(enumerate(brokers)))

    async def connect(_settings: KafkaSettings) -> Cluster:
        cluster.connected += 1
        return cluster

    monkeypatch.setattr(groups, "_connect", connect)
    return ConsumerGroups(KafkaSettings(servers="nowhere")), cluster


async def test_each_broker_tells_of_its_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, _ = asked(monkeypatch, Broker(names=["a"]), Broker(names=[]), Broker(names=["b", "c"], offset=-1))

    known = await reader.read()

    nothing = KnownGroup(members=1, committed={})
    assert known.groups == {"a": TEN, "b": nothing, "c": nothing}
    assert known.unanswered == []


async def test_a_broker_that_is_gone_leaves_what_the_others_say(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, cluster = asked(monkeypatch, Broker(names=["a"]), Broker(silent=True), Broker(list_code=LOADING))

    known = await reader.read()

    assert known.groups == {"a": TEN}
    assert [sentence.split(":")[0] for sentence in known.unanswered] == ["broker 1", "broker 2"]
    assert cluster.closed == 0


@pytest.mark.parametrize(
    "broker",
    [Broker(fetch_code=NOT_COORDINATOR), Broker(partition_code=LOADING), Broker(describe_code=NOT_COORDINATOR)],
    ids=["offsets", "one partition", "members"],
)
async def test_a_refusal_is_no_group_that_has_committed_nothing(
    monkeypatch: pytest.MonkeyPatch, broker: Broker
) -> None:
    reader, _ = asked(monkeypatch, broker)

    known = await reader.read()

    assert known.groups == {}
    (sentence,) = known.unanswered
    assert sentence.startswith("group g: ")


async def test_after_no_broker_answered_the_next_question_connects_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, cluster = asked(monkeypatch, Broker(silent=True), Broker(silent=True))

    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match=r"broker 0: .*gone; broker 1: .*gone"):
            await reader.read()

    assert (cluster.connected, cluster.closed) == (2, 2)


async def test_two_brokers_that_coordinate_a_group_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, _ = asked(monkeypatch, Broker(names=["a"], offset=7), Broker(names=["a", "b"]))

    known = await reader.read()

    assert known.groups == {"b": TEN}
    assert known.unanswered == ["group a: two brokers coordinate it"]


REFUSING = Broker(fetch_code=NOT_COORDINATOR)


async def test_who_coordinates_a_group_is_who_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, cluster = asked(monkeypatch, Broker(silent=True), REFUSING, Broker())

    assert await reader.committed("g") == {("t", 0): 10}
    assert cluster.closed == 0


async def test_nobody_waits_for_a_broker_that_hangs_when_another_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, _ = asked(monkeypatch, Broker(hangs=True), Broker())

    assert await asyncio.wait_for(reader.committed("g"), groups.QUESTION_SECONDS / 2) == {("t", 0): 10}


async def test_a_question_has_an_end_although_a_broker_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "QUESTION_SECONDS", 0.01)
    reader, _ = asked(monkeypatch, Broker(hangs=True), REFUSING)

    with pytest.raises(BrokerUnavailable, match="the offsets of g were not said"):
        await reader.committed("g")


async def test_a_refusal_is_an_answer_and_keeps_the_connections_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, cluster = asked(monkeypatch, REFUSING, Broker(silent=True))

    with pytest.raises(BrokerUnavailable, match=r"of g are not known: broker 0: .*; broker 1: .*gone"):
        await reader.committed("g")

    assert cluster.closed == 0


async def test_all_that_ask_meanwhile_share_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, cluster = asked(monkeypatch, Broker())

    await asyncio.gather(*(reader.committed("g") for _ in range(9)))
    await reader.close()
    await reader.close()

    assert (cluster.connected, cluster.closed) == (1, 1)


async def test_all_that_ask_meanwhile_share_its_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0

    async def connect(_settings: KafkaSettings) -> None:
        nonlocal tried
        tried += 1
        await asyncio.sleep(0)
        raise BrokerUnavailable("nobody there")

    monkeypatch.setattr(groups, "_connect", connect)
    reader = ConsumerGroups(KafkaSettings(servers="nowhere"))

    for times in (1, 2):
        outcomes = await asyncio.gather(*(reader.committed("g") for _ in range(9)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {BrokerUnavailable}
        assert tried == times
    await reader.close()


async def test_closing_ends_a_connection_that_is_still_made(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def connect(_settings: KafkaSettings) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(groups, "_connect", connect)
    reader = ConsumerGroups(KafkaSettings(servers="nowhere"))
    asking = asyncio.create_task(reader.committed("g"))
    await begun.wait()
    await reader.close()

    assert ended.is_set()
    with pytest.raises(BrokerUnavailable, match="closed meanwhile"):
        await asking
